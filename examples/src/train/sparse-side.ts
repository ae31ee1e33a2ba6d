/**
 * The same layer as `jax-side.ts` with no framework at all: loops over the non-zeros, gradient by hand. The sweep
 * over batch sizes trains many models and uses this one, several times faster; a test holds the two to the same
 * numbers. It also shows that an `Encoder` is just two functions.
 *
 * Refuses to be the demo's main model.
 */

import type { Encoder, FeatureGrads } from 'infcl';
import type { PaddedRows } from '../features/hashing.js';
import { Random } from '../random.js';
import { featureDim as dim, type Side, type SideOptions } from './side.js';
import { addLinearGradient, linear, unitRows, unitRowsGradient } from './sparse-layer.js';

export function makeSparseSide(weights: Float32Array, { seed, dropout }: SideOptions): Side {
  const gradients = new Float32Array(weights.length);
  const taken = new Float32Array(weights.length);
  let draws = 0;

  const dropped = (rows: PaddedRows): PaddedRows => {
    const random = Random.stream(seed, draws++);
    const kept = 1 / (1 - dropout);
    return { ...rows, values: rows.values.map((value) => (random.uniform() < dropout ? 0 : value * kept)) };
  };

  const encoder: Encoder<PaddedRows> = {
    encode: (rows) => ({
      data: unitRows(linear(weights, dropped(rows), dim), dim).units,
      shape: [rows.rows, dim],
    }),
    backward(rows, grads: FeatureGrads) {
      const input = dropped(rows);
      const { units, norms } = unitRows(linear(weights, input, dim), dim);
      addLinearGradient(gradients, input, unitRowsGradient({ units, norms }, grads.data, dim), dim);
    },
    randomState: () => draws,
    restoreRandomState: (state) => {
      draws = state as number;
    },
  };
  return {
    weights,
    encoder,
    upload() {},
    async takeGradients() {
      taken.set(gradients);
      gradients.fill(0);
      return taken;
    },
    discardGradients: () => gradients.fill(0),
    dispose() {},
  };
}
