/** The case `tfjs` of the bench works: small shapes, whose figures mean nothing. */
import { availableParallelism } from 'node:os';
import { expectMeasured, runBench } from './run-bench';

const linux = process.platform === 'linux';
if (!linux) console.warn('peak memory is measured through /proc: SKIPPED on this platform');

(linux ? it : it.skip)('measures time, memory and agreement for each number of threads', async () => {
  const { rows, skipped, failed } = await runBench('tfjs');
  expect(failed).toBeUndefined();
  const threads = [1, 2].filter((count) => count <= availableParallelism());
  expect(rows.map(({ label }) => label)).toEqual(threads.map((count) => `B 256, D 64, ours with ${count}`));
  expect(skipped).toHaveLength(2 - threads.length);
  rows.forEach(expectMeasured);
});
