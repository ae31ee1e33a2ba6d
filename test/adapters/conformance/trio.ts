/**
 * Three towers of a host, ready for steps, and an oracle for any loss over them: finite differences of the dense
 * loss along the parameters of each network, in float64.
 */
import { chunkedStep, type OwnLoss } from '../../../lib/trainer';
import { type DenseOptions, denseLossAndGrad } from '../../reference/dense';
import { slopesOf, unitRows } from '../../reference/slopes';
import { handWrittenHost } from './hand-written';
import { featureDim, featuresOf } from './network';
import {
  type AnyHost,
  expectParameters,
  logitScale,
  makeSide,
  rows,
  type Side,
  type SideOptions,
} from './pair';

export const perQuery = 2;

export type Name = 'queries' | 'keys' | 'hardNegatives';
export type Trio = Readonly<Record<Name, Side>>;

/** Chunks of the hard negatives end within the rows of a query, and the last one is smaller. */
const hardSizes = [19, 19, 10];

/** Makes three towers, hands them to `work`, and frees them. Hosts that cannot train get hand-written queries. */
export async function withTrio(
  host: AnyHost,
  options: Partial<Record<Name, SideOptions>>,
  work: (trio: Trio) => Promise<void>,
): Promise<void> {
  const seeds = { queries: 1, keys: 2, hardNegatives: 3 };
  const hardInputs = (await makeSide(handWrittenHost, 4, {})).inputs;
  const trio = {
    queries: await makeSide(host.trains ? host : handWrittenHost, seeds.queries, { ...options.queries }),
    keys: await makeSide(host, seeds.keys, { sizes: [10, 14], ...options.keys }),
    hardNegatives: await makeSide(host, seeds.hardNegatives, {
      sizes: hardSizes,
      inputs: Float32Array.from([...hardInputs, ...hardInputs.map((x) => 0.3 - x)]),
      ...options.hardNegatives,
    }),
  };
  try {
    await work(trio);
  } finally {
    for (const { tower } of Object.values(trio)) tower.dispose();
  }
}

/** The towers of a step over the trio. `shared` takes the place of all its encoders. */
export function towersOf({ queries, keys, hardNegatives }: Trio, shared?: Side) {
  const tower = (side: Side) => ({ encoder: (shared ?? side).encoder, chunks: side.chunks });
  return {
    queries: tower(queries),
    keys: tower(keys),
    hardNegatives: { ...tower(hardNegatives), perQuery },
  };
}

/** A step of the first two towers. */
export function pairStep(trio: Trio, more: { loss?: object | OwnLoss; [name: string]: unknown } = {}) {
  const { queries, keys } = towersOf(trio);
  return chunkedStep({ queries, keys, loss: { logitScale }, ...more } as Parameters<typeof chunkedStep>[0]);
}

/** Features of each tower by float64. */
export type DenseFeatures = Readonly<Record<Name, Float64Array>>;

const matrix = (data: Float64Array, dim: number) => ({ data, shape: [data.length / dim, dim] as const });

/** The dense loss over some towers; `dim` is the width of their features. */
export function denseLoss(
  {
    queries,
    keys,
    hardNegatives,
  }: { queries: Float64Array; keys: Float64Array | null; hardNegatives?: Float64Array },
  options: DenseOptions = {},
  dim = featureDim,
  hardRows: { perQuery: number } | { offsets: Int32Array } = { perQuery },
): number {
  return denseLossAndGrad(matrix(queries, dim), keys && matrix(keys, dim), {
    logitScale,
    ...options,
    ...(hardNegatives && { hardNegatives: { keys: matrix(hardNegatives, dim), ...hardRows } }),
  }).loss;
}

/** Features of length 1, or their prefixes. */
export function unitFeatures(features: DenseFeatures, dim = featureDim): DenseFeatures {
  const { queries, keys, hardNegatives } = features;
  return {
    queries: unitRows(queries, featureDim, dim),
    keys: unitRows(keys, featureDim, dim),
    hardNegatives: unitRows(hardNegatives, featureDim, dim),
  };
}

/**
 * Compares the loss and all gradients with finite differences of `lossOf`. Takes the gradients of the towers named.
 *
 * @param shared The side whose parameters all towers have.
 */
export async function expectSlopes(
  trio: Trio,
  loss: number,
  lossOf: (features: DenseFeatures) => number,
  { of, shared }: { of: readonly Name[]; shared?: Side },
): Promise<void> {
  const sides = of.map((name) => trio[name]);
  const owners = shared ? [shared] : sides;
  const parameters = owners.map(({ initial }) => ({
    weights: Float64Array.from(initial.weights),
    bias: Float64Array.from(initial.bias),
  }));
  const featuresIn = (side: Side) => {
    const at = shared ? 0 : sides.indexOf(side);
    return featuresOf({ ...side.dense(), ...(at >= 0 && { parameters: parameters[at]! }) });
  };
  const total = () =>
    lossOf({
      queries: featuresIn(trio.queries),
      keys: featuresIn(trio.keys),
      hardNegatives: featuresIn(trio.hardNegatives),
    });
  expect(Math.abs(loss - total())).toBeLessThan(1e-5);
  for (const [i, owner] of owners.entries()) {
    if (!owner.trained) continue;
    const { weights, bias } = parameters[i]!;
    const [ofWeights, ofBias] = slopesOf([weights, bias], total);
    expectParameters(await owner.tower.takeGradients(), { weights: ofWeights!, bias: ofBias! });
  }
}

export { rows };
