/**
 * Calls on a device that cannot hold their features, and the same calls on the CPU. Prints what each took,
 * and how far apart the answers are.
 */
import {
  type ContrastiveOptions,
  contrastiveLossAndGrad,
  deviceMemory,
  type InfclError,
  type LossAndGradResult,
  plan,
} from '../../../../lib';

const [rows, keyRows, dim] = [900, 1100, 128];
const matrix = (count: number, seed: number) => ({
  data: Float32Array.from({ length: count * dim }, (_, i) => Math.sin(seed + i * 1.7) / 8), // of length about one
  shape: [count, dim] as const,
});
const [queries, keys, texts] = [matrix(rows, 1), matrix(keyRows, 2), matrix(rows, 3)];
const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % keyRows);
const classes = Int32Array.from({ length: rows }, (_, i) => i % 50);

/** The largest difference, relative to the largest element. */
function distance(a: Float32Array, b: Float32Array): number {
  let [most, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i]! - b[i]!));
    size = Math.max(size, Math.abs(b[i]!));
  }
  return most / size;
}

async function compare(k: typeof keys, options: ContrastiveOptions) {
  const fractions: number[] = [];
  const onProgress = ({ fraction }: { fraction: number }) => fractions.push(fraction);
  const device = await contrastiveLossAndGrad(queries, k, { ...options, backend: 'cuda', onProgress });
  const again = await contrastiveLossAndGrad(queries, k, { ...options, backend: 'cuda' });
  const cpu = await contrastiveLossAndGrad(queries, k, { ...options, backend: 'cpu' });
  const grads = ({ queryGrads, keyGrads }: LossAndGradResult) => [queryGrads, keyGrads] as const;
  const bytes = (result: LossAndGradResult) =>
    grads(result).map((g) => Buffer.from(g.buffer).toString('base64'));
  return {
    slabs: device.stats.slabs,
    workspace: device.stats.workspaceBytes,
    progress: fractions.at(-1),
    same: JSON.stringify(bytes(device)) === JSON.stringify(bytes(again)),
    loss: Math.abs(device.loss - cpu.loss) / cpu.loss,
    gradient: Math.max(...grads(device).map((grad, side) => distance(grad, grads(cpu)[side]!))),
  };
}

async function refusal() {
  const before = deviceMemory().free;
  const wide = (seed: number) => ({
    data: new Float32Array(2 * 4000).fill(seed / 100),
    shape: [2, 4000] as const,
  });
  try {
    await contrastiveLossAndGrad(wide(1), wide(2), { backend: 'cuda' });
  } catch (error) {
    const { code, message } = error as InfclError;
    return { code, message, taken: before - deviceMemory().free };
  }
  return null;
}

async function answerAll() {
  const { total } = deviceMemory();
  return {
    total,
    plan: plan({ queries: rows, keys: keyRows, dim, backend: 'cuda' }),
    infonce: await compare(keys, { objective: 'infonce', labels, logitScale: 10 }),
    ntxent: await compare(texts, { objective: 'ntxent', logitScale: 10 }),
    supcon: await compare(texts, { objective: 'supcon', labels: classes, logitScale: 10 }),
    refused: await refusal(),
  };
}

void answerAll().then((answers) => console.log(JSON.stringify(answers)));
