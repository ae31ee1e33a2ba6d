/**
 * Rank 1 does what the first argument says while a loss of all ranks runs, or in place of it. Each rank says what
 * became of its calls.
 */
import { contrastiveLossAndGrad } from 'infcl';
import { mpi } from 'infcl/mpi';
import { outcome, say } from './rank.mjs';
import { shardOf } from './shard.mjs';

const what = process.argv[2];
const group = await mpi({ timeout: 4000 });
const { rank } = group;
/** Long enough that the deed comes in the middle, with 3 ranks or more. */
const [rows, dim] = [5000, 64];
const loss = ({ size = rows, width = dim, ...options } = {}) =>
  outcome(
    contrastiveLossAndGrad(shardOf(rank, size, width, 1), shardOf(rank, size, width, 2), {
      group,
      threads: 1,
      ...options,
    }),
  );

/** What rank 1 does in the middle of its loss. */
const deeds = {
  throw: () => {
    throw new Error('boom');
  },
  reject: () => void Promise.reject(new Error('boom')),
  'exit 3': () => process.exit(3),
  'exit 0': () => process.exit(0),
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  // native code goes on with the loss; the call after it is never made
  spin: () => {
    for (;;);
  },
};

/** What rank 1 does in place of the loss. */
const calls = {
  scale: () => loss({ size: 100, logitScale: 15 }),
  dims: () => loss({ size: 100, width: 63 }),
  dtype: () => outcome(group.allReduce(new Float32Array(10))),
  late: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
};

const first = await loss({ size: 100 });
if (rank === 1 && what in deeds) {
  say({ rank, first });
  setTimeout(deeds[what], 300);
  await loss();
} else if (what in deeds) {
  const second = await loss();
  const third = await loss({ size: 100 });
  say({ rank, first, second, third });
} else {
  if (rank === 1 && what === 'late') say({ rank, first });
  const second = rank === 1 ? await calls[what]() : await loss({ size: 100 });
  const third = await loss({ size: 100 });
  say({ rank, first, second, third });
}
