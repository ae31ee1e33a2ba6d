/**
 * The network that every host of the conformance suite builds, features = tanh(x W + b), and its oracle: the same
 * network, its dense loss, its gradients and Adam in float64. The oracle knows no chunks and no host.
 */
import { denseLossAndGrad } from '../../reference/dense';
import { unit } from '../../reference/inputs';

export const inputDim = 5;
export const featureDim = 4;

/** W [inputDim x featureDim] and b [featureDim], row-major: of a network, or gradients of both. */
export interface Parameters<Numbers = Float32Array> {
  weights: Numbers;
  bias: Numbers;
}

/** One tower of the dense loss: all its rows at once, [rows x inputDim]. */
export interface DenseTower {
  parameters: Parameters<ArrayLike<number>>;
  inputs: Float32Array;
  /** Features in place of those of the network, for the loss alone. */
  features?: Float64Array;
}

export interface DenseStep {
  loss: number;
  logitScaleGrad: number;
  gradients: readonly [queries: Parameters<Float64Array>, keys: Parameters<Float64Array>];
  featureGrads: readonly [queries: Float64Array, keys: Float64Array];
}

export const adamOptions = { rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Numbers between -1 and 1, the same ones for the same seed. */
export function numbers(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => unit(seed, i));
}

export function makeParameters(seed: number): Parameters {
  return { weights: numbers(inputDim * featureDim, seed), bias: numbers(featureDim, seed + 1000) };
}

export function makeInputs(rows: number, seed: number): Float32Array {
  return numbers(rows * inputDim, seed);
}

/** tanh(x W + b), [rows x featureDim]. */
export function featuresOf({ parameters: { weights, bias }, inputs }: DenseTower): Float64Array {
  const features = new Float64Array((inputs.length / inputDim) * featureDim);
  for (let at = 0; at < features.length; at++) {
    const [row, column] = [Math.floor(at / featureDim), at % featureDim];
    let sum = bias[column]!;
    for (let i = 0; i < inputDim; i++) sum += inputs[row * inputDim + i]! * weights[i * featureDim + column]!;
    features[at] = Math.tanh(sum);
  }
  return features;
}

/** dLoss/dW and dLoss/db from dLoss/dFeatures: d tanh(z) = (1 - tanh(z)^2) dz. */
export function pullBack(tower: DenseTower, featureGrads: ArrayLike<number>): Parameters<Float64Array> {
  const features = featuresOf(tower);
  const weights = new Float64Array(inputDim * featureDim);
  const bias = new Float64Array(featureDim);
  features.forEach((feature, at) => {
    const [row, column] = [Math.floor(at / featureDim), at % featureDim];
    const grad = featureGrads[at]! * (1 - feature * feature);
    bias[column]! += grad;
    for (let i = 0; i < inputDim; i++)
      weights[i * featureDim + column]! += tower.inputs[row * inputDim + i]! * grad;
  });
  return { weights, bias };
}

/** Loss of objective `clip` and all gradients, with the matrix of all similarities in memory. */
export function denseStep(queries: DenseTower, keys: DenseTower, logitScale: number): DenseStep {
  const matrix = (tower: DenseTower) => {
    const data = tower.features ?? featuresOf(tower);
    return { data, shape: [data.length / featureDim, featureDim] as const };
  };
  const result = denseLossAndGrad(matrix(queries), matrix(keys), { logitScale });
  return {
    loss: result.loss,
    logitScaleGrad: result.logitScaleGrad,
    gradients: [pullBack(queries, result.queryGrads), pullBack(keys, result.keyGrads)],
    featureGrads: [result.queryGrads, result.keyGrads],
  };
}

/** Adam (arXiv 1412.6980) in float64 on one array. Each array has moments of its own. */
export class Adam {
  readonly values: Float64Array;
  private readonly means: Float64Array;
  private readonly squares: Float64Array;
  private steps = 0;

  constructor(initial: ArrayLike<number>) {
    this.values = Float64Array.from(initial);
    this.means = new Float64Array(initial.length);
    this.squares = new Float64Array(initial.length);
  }

  step(gradient: ArrayLike<number>): void {
    const { rate, beta1, beta2, epsilon } = adamOptions;
    this.steps++;
    for (let i = 0; i < this.values.length; i++) {
      const g = gradient[i]!;
      this.means[i] = beta1 * this.means[i]! + (1 - beta1) * g;
      this.squares[i] = beta2 * this.squares[i]! + (1 - beta2) * g * g;
      const mean = this.means[i]! / (1 - beta1 ** this.steps);
      const square = this.squares[i]! / (1 - beta2 ** this.steps);
      this.values[i]! -= (rate * mean) / (Math.sqrt(square) + epsilon);
    }
  }
}
