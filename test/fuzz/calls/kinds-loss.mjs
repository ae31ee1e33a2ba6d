/**
 * Cases of the four loss functions: valid calls alone and beside each other, calls with mistakes and malice,
 * outputs over inputs, signals and progress. Some cases detach or write arrays while the call runs.
 *
 * Refuses to judge: case.mjs does.
 */

import { makeActs } from './act.mjs';
import { pollute } from './hostile.mjs';
import { mutate } from './mutate.mjs';
import { makeProgress, makeSignal } from './signals.mjs';
import { detached } from './values.mjs';

const functionName = (gradient, blocking) =>
  `contrastiveLoss${gradient ? 'AndGrad' : ''}${blocking ? 'Sync' : ''}`;
const argumentsOf = ({ queries, keys, options }) => [queries, keys, options];

/** Errors that a valid call may have, by what was given to the call. */
function allowedFor({ tame, options }) {
  return [
    ...(tame ? [] : ['ERR_NOT_FINITE']),
    ...(options.workspaceBytes ? ['ERR_WORKSPACE'] : []),
    // a signal that lacks a part; a blocking call whose onProgress returns a promise
    ...(options.signal || options.onProgress ? ['own', 'reason', 'ERR_TYPE'] : []),
  ];
}

/** Gives a problem a signal and a progress callback, or not; returns what hostile code may do. */
function supervise(current, known, problem, signal) {
  const { random, own, soon } = current;
  const made = signal ?? (random.chance(0.35) ? makeSignal(random, { own, soon }) : undefined);
  const act = makeActs(current, known, made?.abort);
  if (made) problem.options.signal = made.signal;
  if (random.chance(0.25)) {
    const complain = (text) => current.complain(text);
    problem.options.onProgress = makeProgress(random, { own, act, complain });
  }
  return act;
}

/** One valid call; now and then its arrays are taken away or written to while the call runs. */
export async function valid(current, known) {
  const { random } = current;
  const problem = current.problem(0);
  supervise(current, known, problem);
  current.arena.remember();
  const blocking = random.chance(0.4);
  const disturb = !blocking && random.chance(0.15) ? random.pick(['detach', 'scribble']) : undefined;
  if (disturb) current.soon(() => disturbance(current, problem, disturb));
  const name = functionName(problem.gradient, blocking);
  current.notes.push(name, disturb ?? 'undisturbed');
  const outcome = await current.start(name, argumentsOf(problem));
  await current.quiet();
  const allowed = [...allowedFor(problem), ...(disturb ? ['ERR_DETACHED', 'ERR_NOT_FINITE'] : [])];
  current.judgeLoss(outcome, problem, { allowed, numbers: !disturb });
  if (outcome.value && !disturb) current.compareAlone(outcome.value, 0, problem);
}

function disturbance(current, problem, kind) {
  const { random, arena } = current;
  current.memoryMayChange = true;
  const { array } = random.pick(arena.inputs());
  if (kind === 'detach') detached(array);
  else array.fill(random.pick([0, 1, -1, NaN, 3e38, 0x7fff, 2 ** 31 - 1]));
  current.notes.push(`${kind} ${problem.options.objective ?? 'clip'}`);
}

/** One call with one mistake or several, and now and then something on Object.prototype. */
export async function mutated(current, known) {
  const { random, own } = current;
  const problem = current.problem(0);
  const act = supervise(current, known, problem);
  current.arena.remember();
  const other = current.spare();
  const count = random.weighted([
    [6, 1],
    [2, 2],
    [1, 3],
  ]);
  const args = { queries: problem.queries, keys: problem.keys, options: problem.options };
  for (let i = 0; i < count; i++) current.notes.push(mutate(random, args, { own, other, act }));
  const name = functionName(random.chance(0.7), random.chance(0.5));
  current.notes.push(name);
  // read before: one that is gone would be looked for on Object.prototype
  const list = [args.queries, args.keys, args.options];
  const pollution = random.chance(0.05) ? pollute(random, own) : undefined;
  let outcome;
  try {
    outcome = await current.start(name, list);
  } finally {
    pollution?.undo();
  }
  if (pollution) current.notes.push(pollution.what);
  current.judgeLoss(outcome, problem, { mutated: true });
}

/** Something on Object.prototype beside a valid call. */
export async function polluted(current) {
  const { random, own } = current;
  const problem = current.problem(0);
  current.arena.remember();
  const name = functionName(problem.gradient, random.chance(0.5));
  const pollution = pollute(random, own);
  current.notes.push(name, pollution.what);
  let outcome;
  try {
    outcome = await current.start(name, argumentsOf(problem));
  } finally {
    pollution.undo();
  }
  // inherited options are options: the call may be another one
  current.judgeLoss(outcome, problem, { mutated: true });
}

/** Several calls at once: some blocking, some with mistakes, some with one signal, some with one output. */
export async function several(current, known) {
  const { random, own, soon } = current;
  const shared = random.chance(0.3) ? makeSignal(random, { own, soon }) : undefined;
  const calls = Array.from({ length: random.integer(2, 6) }, (_, index) => {
    const problem = current.problem(index);
    const act = supervise(current, known, problem, random.chance(0.5) ? shared : undefined);
    return { index, problem, act, mutated: random.chance(0.25), blocking: random.chance(0.2) };
  });
  current.arena.remember();
  for (const call of calls.filter((one) => one.mutated)) {
    const { problem, act } = call;
    const args = { queries: problem.queries, keys: problem.keys, options: problem.options };
    current.notes.push(`${call.index}: ${mutate(random, args, { own, other: current.spare(), act })}`);
    Object.assign(problem, args);
  }
  const ended = [];
  for (const call of calls) {
    const name = functionName(call.problem.gradient, call.blocking);
    current.notes.push(`${call.index}: ${name}`);
    ended.push(current.start(name, argumentsOf(call.problem)));
    if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
  }
  const outcomes = await Promise.all(ended);
  await current.quiet();
  // a mutation may transfer memory away on which the arrays of others lie as well
  const lost = calls.some(({ mutated }) => mutated) ? ['ERR_DETACHED'] : [];
  outcomes.forEach((outcome, i) => {
    const { problem, index, mutated } = calls[i];
    current.judgeLoss(outcome, problem, {
      mutated,
      allowed: mutated ? [] : [...allowedFor(problem), ...lost],
    });
    const gone = !mutated && Object.values(problem.options.out ?? {}).some((out) => out.byteLength === 0);
    if (outcome.value && !mutated && !gone) current.compareAlone(outcome.value, index, problem);
  });
}

/** One output for two calls in flight: the second call is refused, the first has its bits. */
export async function oneOutput(current) {
  const problem = current.problem(0);
  const dim = (problem.queries.shape ?? problem.queries.dims)[1];
  const rows = (problem.queries.shape ?? problem.queries.dims)[0];
  delete problem.options.grad;
  problem.options.out = { queryGrads: current.arena.take('out.queryGrads', Float32Array, rows * dim, true) };
  current.arena.remember();
  const name = functionName(true, false);
  const [first, second] = await Promise.all([
    current.start(name, argumentsOf(problem)),
    current.start(current.random.chance(0.5) ? name : functionName(true, true), argumentsOf(problem)),
  ]);
  current.judgeLoss(first, problem, { allowed: allowedFor(problem) });
  const kind = current.judge(second);
  if (kind !== 'ERR_OVERLAP') current.complain(`one output for two calls: ${kind ?? 'accepted'}`);
}

/** An output on the memory of an input, or of another output: refused, and no byte is written. */
export async function alias(current) {
  const { random, arena } = current;
  const problem = current.problem(0);
  const { queries, options } = problem;
  const [rows, dim] = queries.shape ?? queries.dims;
  delete options.grad;
  const output = arena.take('aliased output', Float32Array, rows * dim);
  options.out = { queryGrads: output };
  const candidates = [
    { parent: queries, key: 'data' },
    { parent: problem.keys, key: 'data' },
    { parent: options.hardNegatives?.keys, key: 'data' },
    { parent: options, key: 'queryIds' },
    { parent: options, key: 'keyIds' },
    { parent: options.hardNegatives, key: 'ids' },
    { parent: options.guide?.queries, key: 'data' },
    { parent: options.guide?.keys, key: 'data' },
    { parent: options.teacher?.keys, key: 'data' },
  ].filter(({ parent, key }) => parent?.[key] && parent[key].byteLength <= output.byteLength);
  if (candidates.length === 0) return;
  const { parent, key } = random.pick(candidates);
  const before = parent[key];
  const memory = cloneOf(random, output.buffer);
  const room = (output.byteLength - before.byteLength) / 4;
  parent[key] = new before.constructor(
    memory,
    output.byteOffset + 4 * random.integer(0, Math.floor(room)),
    before.length,
  );
  parent[key].set(before);
  arena.remember();
  const name = functionName(true, random.chance(0.5));
  current.notes.push(name, key);
  const kind = current.judge(await current.start(name, argumentsOf(problem)));
  if (kind !== 'ERR_OVERLAP') current.complain(`an output over ${key}: ${kind ?? 'accepted'}`);
}

/** Another object on the same memory, where there can be one. */
function cloneOf(random, buffer) {
  return buffer instanceof SharedArrayBuffer && random.chance(0.5) ? structuredClone(buffer) : buffer;
}
