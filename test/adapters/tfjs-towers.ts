/** Small networks in tfjs, and chunks of their inputs, for the tests of `tfjsEncoder`. */

import { matrix, tf, values, variable } from './tfjs-host';

/** Rows of a batch, and the widths of inputs and features. */
export const [rows, inputs, dim] = [22, 9, 5];
export const scale = 4;

/** Two layers, rows of length 1, and dropout between them with the seed of the encoder. */
export function makeTower(seed: number, rate = 0) {
  const variables = [variable(() => matrix(inputs, 7, seed)), variable(() => matrix(7, dim, seed + 1))];
  const apply = (x: tf.Tensor2D, draw: number): tf.Tensor2D => {
    const hidden = tf.tanh(tf.matMul(x, variables[0] as tf.Tensor2D));
    const kept = rate > 0 ? tf.dropout(hidden, rate, undefined, draw) : hidden;
    const features = tf.matMul(kept as tf.Tensor2D, variables[1] as tf.Tensor2D);
    return features.div(tf.norm(features, 2, 1, true));
  };
  return { apply, variables };
}

/** The same with layers of tfjs, without the length of 1. The seed of its dropout layer is 5. */
export function makeModel(seed: number, rate = 0) {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 7, inputShape: [inputs], activation: 'tanh' }));
  if (rate > 0) model.add(tf.layers.dropout({ rate, seed: 5 }));
  model.add(tf.layers.dense({ units: dim, useBias: false }));
  const weights = model.weights.map(({ shape }, i) => {
    const size = shape.reduce((product: number, n) => product * n!, 1);
    return tf.tensor(values(size, seed + i), shape as number[]);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** Chunks as their generator owns them: disposed of after use. */
export function chunksOf(whole: tf.Tensor2D, size: number) {
  return function* () {
    for (let row = 0; row < rows; row += size) {
      const chunk = tf.slice2d(whole, [row, 0], [Math.min(size, rows - row), inputs]);
      try {
        yield chunk;
      } finally {
        chunk.dispose();
      }
    }
  };
}
