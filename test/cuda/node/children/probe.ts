/**
 * Everything about backend 'cuda' but its numbers: what it says of itself, what it refuses, and that it stops
 * when told to. Prints one line of JSON.
 */
import {
  backends,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossSync,
  type InfclError,
  plan,
} from '../../../../lib';

const matrix = (rows: number, dim: number) => ({
  data: Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i) / 5), // rows of length about one
  shape: [rows, dim] as const,
});
const [queries, keys] = [matrix(200, 48), matrix(200, 48)];
const cuda = { backend: 'cuda' } as const;

async function refusal(options: object, a: Parameters<typeof contrastiveLossAndGrad>[0] = queries) {
  try {
    await contrastiveLossAndGrad(a, keys, { ...cuda, ...options });
  } catch (error) {
    const { name, code, message } = error as InfclError;
    return { name, code, message };
  }
  return null;
}

async function abortedMidway() {
  const controller = new AbortController();
  const call = contrastiveLoss(matrix(2000, 64), matrix(2000, 64), {
    ...cuda,
    workspaceBytes: 3 << 20, // many small blocks
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(new Error('enough')), 20);
  return call.then(
    () => 'finished',
    (error: Error) => error.message,
  );
}

async function probe() {
  const infinite = matrix(200, 48);
  infinite.data[7 * 48 + 3] = Number.POSITIVE_INFINITY;
  const [first, second, other] = await Promise.all([
    contrastiveLoss(queries, keys, cuda),
    contrastiveLoss(queries, keys, { backend: 'cpu' }),
    contrastiveLoss(queries, keys, { ...cuda, device: 1 }),
  ]);
  return {
    backends: backends(),
    stats: first.stats,
    losses: [first.loss, second.loss, other.loss, contrastiveLossSync(queries, keys, cuda).loss],
    auto: contrastiveLossSync(queries, keys, { device: 0 }).stats.backend,
    plan: plan({ queries: 200, dim: 48, gradient: false, ...cuda }),
    noDevice: await refusal({ device: 99 }),
    workspace: await refusal({ workspaceBytes: 1000 }),
    infinite: await refusal({}, infinite),
    aborted: await abortedMidway(),
    after: contrastiveLossSync(queries, keys, cuda).loss,
  };
}

void probe().then((answer) => console.log(JSON.stringify(answer)));
