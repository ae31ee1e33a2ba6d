/** The case `onnx` of the bench works: small shapes, whose figures mean nothing. */
import { availableParallelism } from 'node:os';
import { expectMeasured, runBench } from '../bench/run-bench';

const possible = process.platform === 'linux' && availableParallelism() >= 2;
if (!possible) console.warn('the case needs Linux and two processors: SKIPPED on this machine');

const forms = ['softmax', 'log-sum-exp', 'query blocks'];

(possible ? it : it.skip)('tries every form at each shape, and compares the fastest one', async () => {
  const { rows, skipped, failed } = await runBench('onnx');
  expect([failed, skipped]).toEqual([undefined, []]);
  rows.forEach(expectMeasured);
  for (const shape of ['B 512, D 64', 'B 1024, D 64']) {
    const labels = rows.map(({ label }) => label).filter((label) => label.startsWith(shape));
    const tried = [...forms, 'softmax, memory patterns off'].map((form) => `${shape}, ${form}`);
    expect(labels.slice(0, -1)).toEqual(tried);
    const fastest = labels.at(-1)!.match(/, the fastest as it comes: (.+)$/)?.[1];
    expect(forms).toContain(fastest);
  }
});
