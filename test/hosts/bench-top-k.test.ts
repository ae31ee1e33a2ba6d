/** The case `top-k-peers` of the bench works: small shapes, whose figures mean nothing. */
import { availableParallelism } from 'node:os';
import { runBench } from '../bench/run-bench';

const possible = process.platform === 'linux' && availableParallelism() >= 2;
if (!possible) console.warn('the case needs Linux and two processors: SKIPPED on this machine');

(possible ? it : it.skip)('each peer finds the same keys, and is measured', async () => {
  const { rows, skipped, failed } = await runBench('top-k-peers');
  expect([failed, skipped]).toEqual([undefined, []]);
  for (const { label, cells } of rows) {
    for (const figure of [
      'ours s',
      'peer s',
      'times faster',
      'ours MiB',
      'peer MiB',
      'peer MiB, first call',
    ]) {
      expect([label, figure, Number(cells[figure]) > 0]).toEqual([label, figure, true]);
    }
    // zero where both sum products in the same order
    expect(Number(cells['difference, parts per million'])).toBeLessThanOrEqual(10);
  }
  expect(rows.map(({ label }) => label)).toEqual([
    'M 256, N 3000, D 64, k 10, ONNX Runtime, Gemm + TopK in blocks of 128',
    'M 256, N 3000, D 64, k 100, ONNX Runtime, Gemm + TopK in blocks of 128',
    'M 64, N 3000, D 64, k 10, usearch, exactSearch',
    'M 64, N 3000, D 64, k 100, usearch, exactSearch',
  ]);
});
