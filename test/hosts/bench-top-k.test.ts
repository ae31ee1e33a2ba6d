/** The case `top-k-peers` of the bench works: small shapes, whose figures mean nothing. */
import { availableParallelism } from 'node:os';
import { expectAgreement, runBench } from '../bench/run-bench';

const possible = process.platform === 'linux' && availableParallelism() >= 2;
if (!possible) console.warn('the case needs Linux and two processors: SKIPPED on this machine');

(possible ? it : it.skip)('each peer finds the same keys, and is measured', async () => {
  const { rows, skipped, failed } = await runBench('top-k-peers');
  expect([failed, skipped]).toEqual([undefined, []]);
  // a difference of zero is possible: both may sum products in the same order
  rows.forEach(expectAgreement);
  expect(rows.map(({ label }) => label)).toEqual([
    'M 256, N 3000, D 64, k 10, ONNX Runtime, Gemm + TopK in blocks of 128',
    'M 256, N 3000, D 64, k 100, ONNX Runtime, Gemm + TopK in blocks of 128',
    'M 64, N 3000, D 64, k 10, usearch, exactSearch',
    'M 64, N 3000, D 64, k 100, usearch, exactSearch',
  ]);
});
