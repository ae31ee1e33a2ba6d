/** What happens to a loss of all ranks under a real MPI when a rank fails in its middle, and the memory of each rank. */
import { check, checkEnd, grace, node, show } from './checks.mjs';

/** The `timeout` of test/mpi/ranks/loss-failures.mjs and the 0.5 s of the question, in seconds. */
const patience = 4.5;
/** The loss itself takes some seconds, on processors that all ranks share. */
const longestLoss = 20;

/** Rank 1 fails while its loss runs. `said`: what the loss of all others must say. */
function inTheMiddle(what, said, { stack = false, lossIsRight = false } = {}) {
  return async ({ run, ranks = 4 }) => {
    const end = await run(ranks, node('loss-failures', what));
    const others = end.lines.filter(({ rank }) => rank !== 1);
    const complaints = others.flatMap(({ rank, first, second, third }) => {
      const failed = lossIsRight ? third : second;
      return check(
        [first.error === null, `rank ${rank} before: ${show(first)}`],
        [!lossIsRight || second.error === null, `rank ${rank}: ${show(second)}`],
        [
          failed.error?.code === 'ERR_RANK_FAILED' && said.test(failed.error.message),
          `rank ${rank}: ${show({ second, third })}`,
        ],
        [failed.seconds < longestLoss + patience + grace, `rank ${rank} waited ${failed.seconds} s`],
        [lossIsRight || third.error?.message === second.error?.message, `rank ${rank} later: ${show(third)}`],
      );
    });
    return [
      ...complaints,
      ...checkEnd(end, ranks, false),
      ...check([
        !stack || /Error: boom\n +at /.test(end.output),
        `no stack of the error: ${end.output.slice(-800)}`,
      ]),
    ];
  };
}

/** Rank 1 makes another call than the others. All get the same error, and the group goes on. */
function differs(what, code, said) {
  return async ({ run, ranks = 4 }) => {
    const end = await run(ranks, node('loss-failures', what));
    const complaints = end.lines.flatMap(({ rank, second, third }) =>
      check(
        [second.error?.code === code && said.test(second.error.message), `rank ${rank}: ${show(second)}`],
        [third.error === null, `rank ${rank}: the group does not go on: ${show(third)}`],
      ),
    );
    return [...complaints, ...checkEnd(end, ranks, true)];
  };
}

async function neverCalled({ run, ranks = 4 }) {
  const end = await run(ranks, node('loss-failures', 'late'));
  const complaints = end.lines
    .filter(({ rank }) => rank !== 1)
    .flatMap(({ rank, second }) =>
      check(
        [
          second.error?.code === 'ERR_RANK_FAILED' &&
            /waited .* in exchange \d+: not called by rank 1$/.test(second.error.message),
          `rank ${rank}: ${show(second)}`,
        ],
        [second.seconds < patience + grace, `rank ${rank} waited ${second.seconds} s`],
      ),
    );
  return [...complaints, ...checkEnd(end, ranks, false)];
}

async function killed({ run, ranks = 4 }) {
  const { hung, status, output } = await run(ranks, node('loss-failures', 'kill'));
  return check(
    [!hung, 'the watchdog had to end the job'],
    [status !== 0, `exit status ${status}: ${output}`],
  );
}

const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

/** The messages that a group keeps on their way: three pieces of 8 MiB in each direction. */
const underWay = 48 * 2 ** 20;
/** What a process needs beside: pages of code, of stacks and of the heaps of V8. */
const anythingElse = 16 * 2 ** 20;

/** A rank needs its gradients, its workspace with the slots of guests, and the group's messages, and nothing else. */
function memory(rows, dim) {
  return async ({ run, ranks = 4 }) => {
    const end = await run(ranks, node('memory', String(rows), String(dim)));
    const complaints = end.lines.flatMap(({ rank, features, gradients, workspace, grew, seconds }) => {
      // features, gradients, log-sum-exps, and what the options may add: docs/ring.md has the formula
      const slots = 3 * Math.ceil(rows / 2) * (8 * dim + 80);
      const most = gradients + workspace + underWay + anythingElse;
      console.log(
        `  rank ${rank}: ${rows} rows, dim ${dim}: features ${megabytes(features)} MiB; grew by ${megabytes(grew)} of at most ` +
          `${megabytes(most)}: gradients ${megabytes(gradients)}, slots ${megabytes(slots)}, other workspace ` +
          `${megabytes(workspace - slots)}, messages under way ${megabytes(underWay)}; ${seconds.toFixed(1)} s`,
      );
      return check(
        [grew < most, `rank ${rank} grew by ${megabytes(grew)} MiB, more than ${megabytes(most)}`],
        [
          grew > gradients + slots / 2,
          `rank ${rank} grew by ${megabytes(grew)} MiB alone: nothing was measured`,
        ],
        [
          workspace >= slots,
          `rank ${rank}: a workspace of ${megabytes(workspace)} MiB has no room for the slots`,
        ],
        [
          workspace - slots <= 64 * 2 ** 20,
          `rank ${rank}: ${megabytes(workspace)} MiB are more than the option`,
        ],
      );
    });
    return [...complaints, ...checkEnd(end, ranks, true)];
  };
}

export const lossScenarios = {
  'memory of a rank': memory(3000, 512),
  'a loss: other options': differs(
    'scale',
    'ERR_VALUE',
    /options\.logitScale: 15 on rank 1, 14\.28\d* on rank 0/,
  ),
  'a loss: other dims': differs('dims', 'ERR_SHAPE', /the dim of queries: 63 on rank 1, 64 on rank 0/),
  'a loss: never called': neverCalled,
  'an uncaught error within a loss': inTheMiddle('throw', /rank 1: uncaught Error: boom/, { stack: true }),
  'an unhandled rejection within a loss': inTheMiddle('reject', /rank 1: uncaught Error: boom/, {
    stack: true,
  }),
  'process.exit(3) within a loss': inTheMiddle('exit 3', /rank 1 ended with exit code 3/),
  'process.exit(0) within a loss': inTheMiddle('exit 0', /rank 1/),
  'a rank that is stopped within a loss': inTheMiddle('stop', /no answer from rank 1$/),
  'a rank that spins within a loss': inTheMiddle('spin', /not called by rank 1$/, { lossIsRight: true }),
  'a rank that is killed within a loss': killed,
};
