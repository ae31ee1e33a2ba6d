/**
 * Matrices on a device of 3 MB: what does not fit is refused, wherever it is found out, and nothing of it
 * stays. Prints the errors, and how much memory each took away.
 */
import { contrastiveLossAndGrad, DeviceMatrix, deviceMemory, type InfclError } from '../../../../lib';

const features = (rows: number) =>
  ({ data: new Float32Array(rows * 400).fill(0.01), shape: [rows, 400] }) as const;

async function refusal(run: () => Promise<unknown>) {
  const before = deviceMemory();
  let error: unknown = null;
  try {
    await run();
  } catch (thrown) {
    const { name, code, message } = thrown as InfclError;
    error = { name, code, message };
  }
  const after = deviceMemory();
  return {
    error,
    taken: before.free - after.free,
    held: after.allocated - before.allocated,
    matrices: after.matrices - before.matrices,
  };
}

async function answerAll() {
  const [a, b] = [await DeviceMatrix.fromHost(features(400)), await DeviceMatrix.fromHost(features(400))];
  const matrix = await refusal(() => DeviceMatrix.fromHost(features(2000)));
  const workspace = await refusal(() => contrastiveLossAndGrad(a, b));
  const third = await DeviceMatrix.fromHost(features(400));
  const gradients = await refusal(() => contrastiveLossAndGrad(a, b)); // there is room for one of the two
  third.dispose();
  return { matrix, workspace, gradients };
}

void answerAll().then((answers) => console.log(JSON.stringify(answers)));
