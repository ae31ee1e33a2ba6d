/**
 * Cases of everything beside the loss functions: plans, the list of backends, training steps, matrices on a
 * device that is not there.
 *
 * Refuses to judge: case.mjs does.
 */

import { makeActs } from './act.mjs';
import { mutate } from './mutate.mjs';
import { makeProgress, makeSignal } from './signals.mjs';
import { makeStep, misbehave } from './steps.mjs';
import { oddValue } from './values.mjs';
import { judgePlan } from './verdict.mjs';

/** A plan of any size, and the list of backends. */
export async function plan(current, known) {
  const { random, own, api } = current;
  const objective = random.maybe(0.7, () => random.pick(['clip', 'infonce', 'ntxent', 'supcon', 'siglip']));
  const any = () => Math.max(1, Math.floor(2 ** random.between(0, 53)));
  const small = () => random.integer(1, 100000);
  const tame = random.chance(0.5);
  const size = tame ? small : any;
  const queries = size();
  const options = {
    ...(objective && { objective }),
    queries,
    dim: size(),
    ...(random.chance(0.3) && { keys: random.pick([queries, size()]) }),
    ...(random.chance(0.3) && { dtype: random.pick(['float32', 'float16', 'bfloat16']) }),
    ...(random.chance(0.3) && { gradient: random.chance(0.5) }),
    ...(random.chance(0.3) && { threads: random.integer(1, 1024) }),
    ...(random.chance(0.2) && { workspaceBytes: any() }),
    ...(random.chance(0.2) && { compute: random.pick(['float32', 'bfloat16']) }),
    ...(random.chance(0.2) && { backend: random.pick(['auto', 'cpu', 'cuda']) }),
  };
  const args = { options };
  const changed = random.chance(0.5);
  const tools = { own, other: { options: { ...options, queries: any() } }, act: makeActs(current, known) };
  if (changed) current.notes.push(mutate(random, args, tools));
  const outcome = await current.start('plan', [args.options]);
  const kind = current.judge(outcome);
  if (kind === undefined) for (const complaint of judgePlan(outcome.value)) current.complain(complaint);
  const refusable = ['ERR_SHAPE', 'ERR_WORKSPACE', 'ERR_BACKEND_UNAVAILABLE'];
  if (kind && !changed && !refusable.includes(kind)) current.complain(`a valid plan was refused: ${kind}`);
  if (random.chance(0.1)) {
    const names = api.backends().map(({ name }) => name);
    if (names.join() !== 'cpu,cuda') current.complain(`backends() lists ${names.join()}`);
  }
}

/**
 * A training step, or two with common encoders, or one beside a call of a loss function. Some have mistakes,
 * or towers that misbehave.
 */
export async function step(current, known) {
  const { random, own, soon } = current;
  const problem = current.problem(0);
  if (problem.keys === null) return;
  const { args, loss: lossOptions } = makeStep(random, problem, own);
  const made = random.chance(0.3) ? makeSignal(random, { own, soon }) : undefined;
  const act = makeActs(current, known, made?.abort);
  if (made) args.signal = made.signal;
  if (random.chance(0.2)) {
    args.onProgress = makeProgress(random, { own, act, complain: (text) => current.complain(text) });
  }
  const beside = random.maybe(0.3, () => current.problem(1));
  current.arena.remember();
  const again = () => current.api.chunkedStep(args);
  const how = random.pick(['valid', 'mutated', 'misbehaves']);
  const tools = { own, act, again, other: { options: {} }, oddValue: () => oddValue(random) };
  const whole = { options: args };
  if (how === 'mutated') current.notes.push(mutate(random, whole, { ...tools, other: current.spare() }));
  if (how === 'misbehaves') current.notes.push(misbehave(random, args, tools));
  const loss = beside && current.start(lossName(beside), [beside.queries, beside.keys, beside.options]);
  const outcomes = await Promise.all([
    current.start('chunkedStep', [whole.options]),
    ...(random.chance(0.2) ? [current.start('chunkedStep', [whole.options])] : []),
  ]);
  if (beside) judgeBeside(current, await loss, beside, how);
  await current.quiet();
  const refusable = ['ERR_NOT_FINITE', 'ERR_WORKSPACE', 'own', 'reason', 'ERR_TYPE', 'ERR_ENCODER'];
  for (const outcome of outcomes) {
    const kind = current.judge(outcome);
    if (how !== 'valid') continue;
    if (kind && !refusable.includes(kind)) current.complain(`a valid step was refused: ${kind}`);
    if (kind === undefined) compareWithLoss(current, problem, lossOptions, outcome.value);
  }
}

const lossName = ({ gradient }) => (gradient ? 'contrastiveLossAndGrad' : 'contrastiveLoss');

/** A valid call beside a step; a mutation of the step may transfer memory away. */
function judgeBeside(current, outcome, problem, how) {
  const allowed = ['ERR_NOT_FINITE', 'ERR_WORKSPACE', ...(how === 'valid' ? [] : ['ERR_DETACHED'])];
  current.judgeLoss(outcome, problem, { allowed: problem.tame ? allowed.slice(2) : allowed });
  if (outcome.value) current.compareAlone(outcome.value, 1, problem);
}

/** A step's loss is that of the features as a whole, bit for bit. */
function compareWithLoss(current, { queries, keys }, loss, result) {
  const whole = current.api.contrastiveLossSync(queries, keys, loss);
  if (!Object.is(whole.loss, result.loss))
    current.complain(`loss of a step ${result.loss}, as a whole ${whole.loss}`);
  current.count('repeated alone');
}

/** Matrices on a device: where there is none, every call is refused with a code. */
export async function device(current, known) {
  const { random, own, api } = current;
  const { DeviceMatrix, deviceMemory } = api;
  const { queries, options } = current.problem(0);
  const act = makeActs(current, known);
  const [name, args, call] = random.pick([
    ['fromHost', { queries, options: { device: 0 } }, (a) => DeviceMatrix.fromHost(a.queries, a.options)],
    [
      'wrap',
      { options: { pointer: 4096n, shape: [2, 2], dtype: 'float32', rowStride: 2, device: 0, stream: 0n } },
      (a) => DeviceMatrix.wrap(a.options),
    ],
    ['deviceMemory', { options: random.integer(0, 3) }, (a) => deviceMemory(a.options)],
    [
      'forged',
      { queries: Object.create(DeviceMatrix.prototype), options },
      (a) => api.contrastiveLoss(a.queries, a.queries, a.options),
    ],
  ]);
  if (random.chance(0.7)) current.notes.push(mutate(random, args, { own, other: current.spare(), act }));
  current.notes.push(name);
  current.count('calls');
  const outcome = await Promise.resolve()
    .then(() => call(args))
    .then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
  const kind = current.judge(outcome);
  if (kind === undefined && name !== 'forged' && !api.backends()[1].available)
    current.complain(`${name} works without a device`);
  outcome.value?.dispose?.();
}
