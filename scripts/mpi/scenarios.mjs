/**
 * What ranks must do under a real MPI: right collectives, and an end of all ranks with a clear sentence for each
 * failure. A scenario is a function of { run, runAlone, library, native } that returns complaints, none where all
 * is well.
 */
import { check, checkEnd, grace, node, patience, show } from './checks.mjs';
import { demoOnRanks } from './demo-scenario.mjs';
import { lossScenarios } from './loss-scenarios.mjs';

export function collectives(ranks) {
  return async ({ run }) => {
    const end = await run(ranks, node('collectives'));
    const complaints = end.lines.flatMap(({ rank, size, wrong, trap, bits, closed, again }) =>
      check(
        [size === ranks && wrong.length === 0, `rank ${rank} of ${size}: ${show(wrong)}`],
        [trap === 'RuntimeError', `a fault in WebAssembly became ${trap}`],
        [bits === end.lines[0].bits, `rank ${rank} has other bits than rank ${end.lines[0].rank}`],
        [closed?.code === 'ERR_DISPOSED', `after close(): ${show(closed)}`],
        [/MPI can begin once in a process/.test(again?.message), `mpi() again: ${show(again)}`],
      ),
    );
    return [...complaints, ...checkEnd(end, ranks, true)];
  };
}

/** The loss of all ranks, against the loss of one process over the same rows. */
export function losses(ranks) {
  return async ({ run }) => {
    const end = await run(ranks, node('losses'));
    const complaints = end.lines.flatMap(({ rank, calls, wrong, bits, mixed, after }) =>
      check(
        [calls > 10 && wrong.length === 0, `rank ${rank}, ${calls} calls: ${show(wrong)}`],
        [bits === end.lines[0].bits, `rank ${rank} has other bits than rank ${end.lines[0].rank}`],
        [
          mixed?.code === 'ERR_VALUE' && /received call: .* on rank 1, .* on rank 0/.test(mixed.message),
          `a loss beside a barrier: ${show(mixed)}`,
        ],
        [after === null, `after the abort on rank 0: ${show(after)}`],
      ),
    );
    return [...complaints, ...checkEnd(end, ranks, true)];
  };
}

/** Steps of all ranks, against steps of one process, and the end of a step on all ranks. */
function steps(ranks) {
  return async ({ run }) => {
    const end = await run(ranks, node('steps'));
    const last = ranks - 1;
    const complaints = end.lines.flatMap(({ rank, wrong, losses, failures, after }) =>
      check(
        [wrong.length === 0, `rank ${rank}: ${show(wrong)}`],
        [losses === end.lines[0].losses, `rank ${rank} has other losses: ${losses}`],
        ...['encode', 'backward'].map((method, i) => {
          const said = rank === last ? `no ${method} here` : `rank ${last} failed: no ${method} here`;
          return [failures[i]?.message.endsWith(said), `an error in ${method}: ${show(failures[i])}`];
        }),
        [after === null, `after the errors: ${show(after)}`],
      ),
    );
    return [...complaints, ...checkEnd(end, ranks, true)];
  };
}

/** An example of docs/distributed.md and docs/training-on-ranks.md, by its number. */
function guide(number, ranks, said) {
  return async ({ run, pages }) => {
    const code = [...pages.matchAll(/^```js\n(.*?)^```$/gms)][number][1];
    const end = await run(ranks, [process.execPath, '--input-type=module', '-e', code]);
    return check(
      [!end.hung && end.status === 0, `exit status ${end.status}: ${end.output}`],
      [said.test(end.output), `unexpected output: ${end.output}`],
    );
  };
}

/** Rank 1 ends the job, on `ranks` of the command line or `usually` so many. `said`: what the calls of all others must say. */
function failure(what, usually, said, { rank1Speaks = true, stack = false } = {}) {
  return async ({ run, ranks = usually }) => {
    const end = await run(ranks, node('failures', what));
    const others = end.lines.filter(({ rank }) => rank !== 1);
    const complaints = others.flatMap(({ rank, first, second, third }) =>
      check(
        [first.error === null, `rank ${rank} before: ${show(first)}`],
        [
          second.error?.code === 'ERR_RANK_FAILED' && said.test(second.error.message),
          `rank ${rank}: ${show(second)}`,
        ],
        [second.seconds < patience + grace, `rank ${rank} waited ${second.seconds} s`],
        [third.error?.message === second.error?.message, `rank ${rank} later: ${show(third)}`],
      ),
    );
    return [
      ...complaints,
      ...checkEnd(end, rank1Speaks ? ranks : ranks - 1, false),
      ...check([
        !stack || /Error: boom\n +at /.test(end.output),
        `no stack of the error: ${end.output.slice(-800)}`,
      ]),
    ];
  };
}

/** Rank 1 makes another call than the others. All get an error, and the group goes on. */
function disagreement(what, code, said, ofRank1 = { code, said }) {
  return async ({ run }) => {
    const end = await run(2, node('failures', what));
    const complaints = end.lines.flatMap(({ rank, second, third }) => {
      const expected = rank === 1 ? ofRank1 : { code, said };
      return check(
        [
          second.error?.code === expected.code && expected.said.test(second.error.message),
          `rank ${rank}: ${show(second)}`,
        ],
        [third.error === null, `rank ${rank}: the group does not go on: ${show(third)}`],
      );
    });
    return [...complaints, ...checkEnd(end, 2, true)];
  };
}

/** The launcher notices the death of a process first, so nothing is promised but the end of the job. */
async function killed({ run, ranks = 4 }) {
  const { hung, status, output } = await run(ranks, node('failures', 'kill'));
  return check(
    [!hung, 'the watchdog had to end the job'],
    [status !== 0, `exit status ${status}: ${output}`],
  );
}

async function withoutLauncher({ runAlone, library }) {
  const end = await runAlone(node('open'), { INFCL_MPI_LIBRARY: library });
  const [line] = end.lines;
  return [
    ...check([line?.rank === 0 && line.size === 1 && line.sum === 1, `${show(end.lines)} ${end.output}`]),
    ...checkEnd(end, 1, true),
  ];
}

/** Each process would be alone, and train apart from the others, if infcl did not notice. */
async function libraryOfAnother({ run, otherLibrary }) {
  const end = await run(2, node('open'), { INFCL_MPI_LIBRARY: otherLibrary });
  return end.lines.flatMap(({ error }) =>
    check([
      error?.code === 'ERR_BACKEND_UNAVAILABLE' && /started 2 ranks, but .* sees 1: name/.test(error.message),
      show(error) ?? 'the group was opened',
    ]),
  );
}

async function engine({ run, native }) {
  const end = await run(4, [native]);
  const complaints = end.lines.flatMap(({ rank, size, wrong }) =>
    check([size === 4 && wrong === 0, `rank ${rank} of ${size}: ${wrong} wrong`]),
  );
  return [...complaints, ...checkEnd(end, 4, true)];
}

/** The part that the gate runs, on two ranks. */
export const quick = {
  'collectives, 2 ranks': collectives(2),
  'losses, 2 ranks': losses(2),
  'steps, 2 ranks': steps(2),
  'an uncaught error': failure('throw', 2, /rank 1: uncaught Error: boom/, { stack: true }),
  'a rank that is late': failure('late', 2, /rank 0 waited .* in exchange \d+: not called by rank 1/),
  'other lengths': disagreement('length', 'ERR_SHAPE', /received values.length: 11 on rank 1, 10 on rank 0/),
};

export const all = {
  ...quick,
  'the first example of the guide': guide(
    0,
    2,
    /rank [01] of 2: the sum is 3\nrank [01] of 2: the sum is 3\n/,
  ),
  'the training of the guide': guide(
    1,
    2,
    /^step 0: loss [\d.]+\nstep 1: loss [\d.]+\nstep 2: loss [\d.]+\n/,
  ),
  'losses, 3 ranks': losses(3),
  'losses, 4 ranks': losses(4),
  'steps, 3 ranks': steps(3),
  'the demo, 2 ranks': demoOnRanks,
  'collectives, 3 ranks': collectives(3),
  'collectives, 4 ranks': collectives(4),
  'the communicator of the engine': engine,
  'one rank without a launcher': withoutLauncher,
  'the library of another launcher': libraryOfAnother,
  'other dtypes': disagreement(
    'dtype',
    'ERR_VALUE',
    /received dtype of values: float64 on rank 1, float32 on rank 0/,
  ),
  'other operations': disagreement(
    'operation',
    'ERR_VALUE',
    /received operation: max on rank 1, sum on rank 0/,
  ),
  'other calls': disagreement(
    'another',
    'ERR_VALUE',
    /received call: barrier on rank 1, allReduce on rank 0/,
  ),
  'a refused argument': disagreement('refused', 'ERR_RANK_FAILED', /rank 1 failed: Expected Float32Array/, {
    code: 'ERR_TYPE',
    said: /Expected Float32Array, Float64Array or Int32Array for values/,
  }),
  'an uncaught error, 4 ranks': failure('throw', 4, /rank 1: uncaught Error: boom/, { stack: true }),
  'an unhandled rejection': failure('reject', 4, /rank 1: uncaught Error: boom/, { stack: true }),
  'process.exit(3)': failure('exit 3', 4, /rank 1 ended with exit code 3/),
  'process.exit(0)': failure('exit 0', 4, /rank 1 has ended and takes no part in exchange/),
  'a rank that ends early': failure('end', 4, /rank 1 has ended and takes no part in exchange/),
  'a rank that is late, 4 ranks': failure('late', 4, /waited .* in exchange \d+: not called by rank 1$/),
  'a rank that spins': failure('spin', 4, /waited .* in exchange \d+: not called by rank 1$/),
  'a rank that is stopped': failure('stop', 4, /waited .* in exchange \d+: no answer from rank 1$/),
  'a rank that is killed': killed,
  ...lossScenarios,
};
