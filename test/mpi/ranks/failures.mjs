/**
 * Rank 1 does what the first argument says, while the other ranks make a call. Each rank says what became of its calls.
 */
import { mpi } from 'infcl/mpi';
import { outcome, say } from './rank.mjs';

const what = process.argv[2];
const group = await mpi({ timeout: 2000 });
const { rank } = group;
const call = (length = 10) => outcome(group.allReduce(new Float32Array(length)));

/**
 * An error ends at once what still runs on other ranks, so their first calls must have ended. A rank that ends in good
 * order needs no such wait.
 */
const othersAreThrough = () => new Promise((resolve) => setTimeout(resolve, 300));

/** What rank 1 does in place of the call. Most do not return. */
const deeds = {
  throw: async () => {
    await othersAreThrough();
    setImmediate(() => {
      throw new Error('boom');
    });
    return new Promise(() => {});
  },
  reject: async () => {
    await othersAreThrough();
    void Promise.reject(new Error('boom'));
  },
  'exit 3': async () => {
    await othersAreThrough();
    process.exit(3);
  },
  'exit 0': () => process.exit(0),
  end: () => {},
  late: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  spin: () => {
    for (;;);
  },
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  kill: () => process.kill(process.pid, 'SIGKILL'),
};

/** What rank 1 calls, which the others do not call so. The group goes on after these. */
const calls = {
  length: () => call(11),
  dtype: () => outcome(group.allReduce(new Float64Array(10))),
  operation: () => outcome(group.allReduce(new Float32Array(10), 'max')),
  another: () => outcome(group.barrier()),
  refused: () => outcome(group.allReduce('ten numbers')),
  caught: () => call(11),
};

const first = await call();
if (rank === 1 && what in deeds) {
  say({ rank, first });
  await deeds[what]();
} else {
  const second = rank === 1 ? await calls[what]() : await call();
  const third = await call();
  say({ rank, first, second, third });
}
