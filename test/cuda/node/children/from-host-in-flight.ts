/**
 * `DeviceMatrix.fromHost` beside calls of the loss on the same arrays: prints as JSON what each of them
 * came to.
 */
import { contrastiveLossAndGrad, DeviceMatrix, type InfclError } from '../../../../lib';

const [rows, dim] = [300, 64];
const matrix = (seed: number) => ({
  data: Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(seed + i)),
  shape: [rows, dim] as const,
});

async function outcome(use: Promise<unknown>): Promise<string> {
  return use.then(
    (result) => {
      if (result instanceof DeviceMatrix) result.dispose();
      return 'fulfilled';
    },
    (error: InfclError) => error.code,
  );
}

async function main() {
  const shared = matrix(3);
  const out = { queryGrads: shared.data };
  const call = contrastiveLossAndGrad(matrix(1), matrix(2), { out });
  const copiesWhatIsWritten = await outcome(DeviceMatrix.fromHost(shared));
  await call;
  const after = await outcome(DeviceMatrix.fromHost(shared));

  const copy = DeviceMatrix.fromHost(shared);
  const writesWhatIsCopied = await outcome(contrastiveLossAndGrad(matrix(1), matrix(2), { out }));
  const readsWhatIsCopied = await outcome(contrastiveLossAndGrad(shared, shared));
  await outcome(copy);
  const afterwards = await outcome(contrastiveLossAndGrad(matrix(1), matrix(2), { out }));
  console.log(
    JSON.stringify({ copiesWhatIsWritten, after, writesWhatIsCopied, readsWhatIsCopied, afterwards }),
  );
}

main();
