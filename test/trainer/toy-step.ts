/**
 * A step over three toy towers, the third of hard negatives: the setting of the tests of what a step computes. Each
 * test has its own oracle.
 */
import { chunkedStep } from '../../lib/trainer';
import { cut, featureDim, randomRows, ToyEncoder, toyFeatures } from './toy-encoder';

export const rows = 11;
export const perQuery = 2;
export const inputs = {
  queries: randomRows(rows, 1),
  keys: randomRows(rows, 2),
  hardNegatives: randomRows(perQuery * rows, 3),
};

export type Name = keyof typeof inputs;
export const names: readonly Name[] = ['queries', 'keys', 'hardNegatives'];

export const toys = () => ({
  queries: new ToyEncoder(1),
  keys: new ToyEncoder(2),
  hardNegatives: new ToyEncoder(3),
});

interface ToyStep {
  towers?: ReturnType<typeof toys>;
  /** Whether there is a tower of hard negatives. */
  hard?: boolean;
  /** Options of the step. */
  [name: string]: unknown;
}

/** A step over two towers, or over three. */
export function toyStep<Result>({ towers = toys(), hard = false, ...more }: ToyStep = {}): Promise<Result> {
  const step = {
    queries: { encoder: towers.queries, chunks: () => cut(inputs.queries, [4, 7]) },
    keys: { encoder: towers.keys, chunks: () => cut(inputs.keys, [9, 2]) },
    hardNegatives: hard
      ? { encoder: towers.hardNegatives, chunks: () => cut(inputs.hardNegatives, [15, 7]), perQuery }
      : undefined,
    ...more,
  };
  return chunkedStep(step) as Promise<unknown> as Promise<Result>;
}

/** Weights of the toys, for finite differences: whoever moves them moves the features of `denseFeatures`. */
export const toyWeights = () => names.map((name) => toys()[name].weights);

/** Features of one tower in float64, [rows x featureDim]. */
export const denseFeatures = (weights: readonly Float64Array[], name: Name) =>
  toyFeatures(weights[names.indexOf(name)]!, inputs[name]);

export const matrixOf = (data: Float64Array, dim = featureDim) => ({
  data,
  shape: [data.length / dim, dim] as const,
});
