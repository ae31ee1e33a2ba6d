/**
 * The loss as one writes it first, in jax-js, with the whole b x b matrix of logits: what the chart compares with.
 * Refuses to be clever.
 */

import * as jax from '@jax-js/jax';

const { numpy: np } = jax;

/** mean over i of ½ (LSE of row i + LSE of column i) - logit ii, with logits = scale · Q Kᵀ. Consumes both. */
function denseLoss(queries: jax.Array, keys: jax.Array, scale: number): jax.Array {
  const own = np.sum(queries.ref.mul(keys.ref), -1).mul(scale);
  const logits = np.matmul(queries, np.transpose(keys)).mul(scale);
  const rows = jax.nn.logsumexp(logits.ref, 1);
  const columns = jax.nn.logsumexp(logits, 0);
  return np.mean(rows.add(columns).mul(0.5).sub(own));
}

/** Loss and both gradients, read out. */
export async function denseLossAndGrad(
  queries: Float32Array,
  keys: Float32Array,
  dim: number,
  scale: number,
) {
  const toDevice = (data: Float32Array) => np.array(data, { shape: [data.length / dim, dim] });
  const [loss, pullBack] = jax.vjp(
    (q: jax.Array, k: jax.Array) => denseLoss(q, k, scale),
    [toDevice(queries), toDevice(keys)],
  );
  const value = (await loss.data())[0]!;
  const [queryGrads, keyGrads] = pullBack(np.array(1)) as [jax.Array, jax.Array];
  const grads = {
    queryGrads: (await queryGrads.data()) as Float32Array,
    keyGrads: (await keyGrads.data()) as Float32Array,
  };
  pullBack.dispose();
  return { loss: value, ...grads };
}
