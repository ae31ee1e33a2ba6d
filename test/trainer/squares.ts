/** A loss that no option describes, the mean squared distance of pairs, and its oracle. */
import type { StepFeatures } from '../../lib/trainer';
import { slopesOf } from '../reference/slopes';
import { toyFeatures } from './toy-encoder';
import { inputs, rows, toys } from './toy-step';

/** L = 1/M sum_i |q_i - k_i|^2, which no option describes. */
export const squares = (queries: StepFeatures, keys: StepFeatures) => {
  const [q, k] = [queries.data as Float32Array, keys.data as Float32Array];
  const apart = q.map((x, i) => x - k[i]!);
  const [count] = queries.shape;
  return {
    loss: apart.reduce((sum, x) => sum + x * x, 0) / count,
    queryGrads: apart.map((x) => (2 * x) / count),
    keyGrads: apart.map((x) => (-2 * x) / count),
  };
};

/** The loss over the toys, and its slopes along their weights. */
export function denseSquares() {
  const weights = [toys().queries.weights, toys().keys.weights];
  const loss = () => {
    const [q, k] = [toyFeatures(weights[0]!, inputs.queries), toyFeatures(weights[1]!, inputs.keys)];
    return q.reduce((sum, x, i) => sum + (x - k[i]!) ** 2, 0) / rows;
  };
  return { loss: loss(), slopes: slopesOf(weights, loss) };
}
