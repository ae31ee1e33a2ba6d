/**
 * Options that compile and options that do not: no test runs this file, `npm run types` compiles it. Each
 * line below an expected error is a mistake that the compiler must see; the compiler also reports an expected
 * error that is none.
 */
import {
  type AnyContrastiveOptions,
  type AskForHardNegativeGrads,
  type AskForRows,
  type ClipOptions,
  type ContrastiveOptions,
  chunkedStep,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type Encoder,
  type ErrorCode,
  type Features,
  isInfclError,
  type KeyLists,
  type MatrixLike,
  type Objective,
  type ObjectiveOptions,
  plan,
  ranks,
  sumOfLosses,
  topK,
} from '../../lib';
import type { ProcessGroup } from '../../lib/distributed';
import type { objectives } from '../../lib/loss/objectives';

declare const queries: Features;
declare const keys: Features;
declare const labels: Int32Array;
declare const lists: KeyLists;
declare const hardNegatives: { keys: Features; perQuery: number };
declare const objective: Objective;
declare const someTimes: boolean;
declare const encoder: Encoder<number>;

/** An option that no objective takes would be dead: every one is in some row of the table. */
type Taken = (typeof objectives)[Objective]['takes'][number];
export const noDeadOption: [Exclude<keyof ObjectiveOptions, Taken>] extends [never] ? true : false = true;

export function optionsBelongToTheObjective() {
  contrastiveLossSync(queries, keys);
  contrastiveLossSync(queries, keys, { labelSmoothing: 0.1 });
  contrastiveLossSync(queries, keys, { objective: 'clip', hardNegatives });
  contrastiveLossSync(queries, keys, { objective: 'infonce', labels });
  contrastiveLossSync(queries, keys, { objective: 'siglip', logitBias: -5 });
  contrastiveLossSync(queries, null, { objective: 'supcon', labels });
  contrastiveLossSync(queries, keys, { directions: ['queryToKey', 'keyToKey'], partition: 'joint' });
  contrastiveLossSync(queries, keys, { onProgress: ({ fraction, phase }) => [fraction, phase] });

  contrastiveLossSync(queries, keys, { labels: lists });
  contrastiveLossSync(queries, keys, { objective: 'infonce', labels: lists, excludePairs: lists });
  contrastiveLossSync(queries, keys, { hardNegatives: { keys, offsets: labels } });

  // @ts-expect-error: classes are no lists
  contrastiveLossSync(queries, keys, { objective: 'supcon', labels: lists });
  // @ts-expect-error: excluded pairs are of clip, infonce and siglip
  contrastiveLossSync(queries, keys, { objective: 'ntxent', excludePairs: lists });
  // @ts-expect-error: as many of each query, or offsets
  contrastiveLossSync(queries, keys, { hardNegatives: { keys, perQuery: 1, offsets: labels } });
  // @ts-expect-error: neither of them
  contrastiveLossSync(queries, keys, { hardNegatives: { keys } });
  // @ts-expect-error: a sigmoid has no smoothed labels
  contrastiveLossSync(queries, keys, { objective: 'siglip', labelSmoothing: 0.1 });
  // @ts-expect-error: no labels
  contrastiveLossSync(queries, keys, { objective: 'supcon' });
  // @ts-expect-error: undefined is as good as no labels
  contrastiveLossSync(queries, keys, { objective: 'supcon', labels: undefined });
  // @ts-expect-error: clip, the default, takes labels as lists
  contrastiveLossSync(queries, keys, { labels });
  // @ts-expect-error: a bias cancels in a softmax
  contrastiveLossSync(queries, keys, { objective: 'infonce', logitBias: 1 });
  // @ts-expect-error: directions are of infonce
  contrastiveLossSync(queries, keys, { objective: 'ntxent', directions: ['queryToKey'] });
  // @ts-expect-error: a partition needs directions
  contrastiveLossSync(queries, keys, { partition: 'joint' });
  // @ts-expect-error: hard negatives are of clip and infonce
  contrastiveLossSync(queries, keys, { objective: 'ntxent', hardNegatives });
  // @ts-expect-error: a typing error
  contrastiveLossSync(queries, keys, { logitscale: 20 });
  // @ts-expect-error: a typing error inside an option
  contrastiveLossSync(queries, keys, { grad: { query: false } });
  // @ts-expect-error: no such objective
  contrastiveLossSync(queries, keys, { objective: 'simclr' });
}

/** The same in every function, and where no literal stands in the call. */
export function allFunctionsCheckOptions() {
  const smoothed = { objective: 'siglip', labelSmoothing: 0.1 } as const;
  // @ts-expect-error
  void contrastiveLoss(queries, keys, smoothed);
  // @ts-expect-error
  void contrastiveLossAndGrad(queries, keys, smoothed);
  // @ts-expect-error
  contrastiveLossAndGradSync(queries, keys, smoothed);
  // @ts-expect-error
  contrastiveLossSync(queries, keys, smoothed);
  const tower = { encoder, chunks: () => [1, 2] };
  void chunkedStep({ queries: tower, keys: tower });
  void chunkedStep({ queries: tower, keys: tower, loss: { objective: 'supcon', labels } });
  void chunkedStep({ queries: tower, keys: tower, loss: { objective, logitScale: 5 } });
  // @ts-expect-error
  void chunkedStep({ queries: tower, keys: tower, loss: smoothed });
  // @ts-expect-error
  void chunkedStep({ queries: tower, keys: tower, loss: { objective: 'siglip', labelSmoothing: 0.1 } });
  // @ts-expect-error
  void chunkedStep({ queries: tower, keys: tower, loss: { labels } });
  // @ts-expect-error
  const stored: ContrastiveOptions = { objective: 'siglip', labelSmoothing: 0.1 };
  return stored;
}

/** Programs that hold options in variables. */
export function widerVariablesCompile(
  any: AnyContrastiveOptions,
  one: ContrastiveOptions,
  own: { objective: Objective; labelSmoothing?: number; labels?: Int32Array },
  config: { objective: 'clip' | 'siglip'; queryWeights?: Float32Array },
) {
  for (const options of [any, one, own, config]) contrastiveLossSync(queries, keys, options);
  contrastiveLossSync(queries, keys, { objective, labels });
  contrastiveLossSync(queries, keys, { ...one, threads: 1 });
  contrastiveLossSync(queries, keys, { ...any, perRow: true });
  const built: ContrastiveOptions = { logitScale: 20 };
  built.queryWeights = new Float32Array(3);
  contrastiveLossSync(queries, keys, built);
  const forwarded = (...args: Parameters<typeof contrastiveLossAndGrad>) => contrastiveLossAndGrad(...args);
  return forwarded(queries, keys, any);
}

/** A result that was asked for is there, one that may have been is optional. */
export async function resultsFollowTheOptions(matrix: { data: Float32Array; shape: [number, number] }) {
  const asked = await contrastiveLossAndGrad(matrix, matrix, { perRow: true, hardNegatives });
  const all: Float32Array[] = [asked.queryGrads, asked.keyGrads, asked.hardNegativeGrads, asked.rows.lse];
  contrastiveLossSync(matrix, matrix, { perRow: true }).rows.positiveFirst.length;
  (await contrastiveLoss(matrix, matrix, { perRow: true, objective })).rows.loss.length;
  contrastiveLossAndGradSync(matrix, matrix, { hardNegatives, grad: { keys: { rows: 2 } } }).hardNegativeGrads
    .length;
  // a function of a user names what its callers must ask for
  const both = (options: ClipOptions & AskForRows & AskForHardNegativeGrads) =>
    contrastiveLossAndGradSync(matrix, matrix, options);
  both({ perRow: true, hardNegatives }).hardNegativeGrads.length;
  // @ts-expect-error: without perRow
  both({ hardNegatives });

  // @ts-expect-error: not asked for
  contrastiveLossSync(matrix, matrix).rows.lse;
  // @ts-expect-error: perhaps not asked for
  contrastiveLossSync(matrix, matrix, { perRow: someTimes }).rows.lse;
  // @ts-expect-error: perhaps not asked for
  contrastiveLossSync(matrix, matrix, { perRow: someTimes ? true : undefined }).rows.lse;
  // @ts-expect-error: perhaps there are none
  contrastiveLossAndGradSync(matrix, matrix, someTimes ? { hardNegatives } : {}).hardNegativeGrads.length;
  const unwanted = { hardNegatives, grad: { hardNegatives: false } };
  // @ts-expect-error: not wanted
  contrastiveLossAndGradSync(matrix, matrix, unwanted).hardNegativeGrads.length;
  // @ts-expect-error: not wanted, as the keys' is not
  contrastiveLossAndGradSync(matrix, matrix, { hardNegatives, grad: { keys: false } }).hardNegativeGrads
    .length;
  return all;
}

/** Features as other libraries and other code type them. */
export function matricesOfOthersFit(
  matrix: { data: Float32Array; shape: number[] },
  frozen: { readonly data: Float32Array; readonly shape: readonly number[] },
  /** As onnxruntime types a tensor, and one whose element type is known. */
  tensor: {
    readonly data: Float32Array | Uint8Array | BigInt64Array | string[];
    readonly dims: readonly number[];
    readonly type: 'float32' | 'uint8' | 'int64' | 'string';
  },
  typed: { readonly data: Float32Array; readonly dims: readonly number[]; readonly type: 'float32' },
) {
  const named: MatrixLike = matrix;
  for (const features of [named, matrix, frozen, tensor, typed]) contrastiveLossSync(features, features);
  contrastiveLossSync({ data: new Float32Array(4), dims: [2, 2], type: 'float32' }, tensor);
  const ofTensor: Encoder<number> = { encode: async () => tensor };
  // @ts-expect-error: a plain array is no data
  contrastiveLossSync({ data: [1, 2], shape: [1, 2] }, matrix);
  // @ts-expect-error: nested arrays
  contrastiveLossSync([[1, 2]], matrix);
  return ofTensor;
}

/** An error has the type of infcl's once the guard has seen it. */
export function guardNarrows(error: unknown): ErrorCode | undefined {
  if (!isInfclError(error)) return undefined;
  // @ts-expect-error: no such code
  if (error.code === 'ERR_TYPO') return undefined;
  return error.code;
}

/** Steps of one tower, of three towers, and with a loss of one's own. */
export async function stepsBesideTwoTowers() {
  const tower = { encoder, chunks: () => [1, 2] };
  const hardTower = { encoder: {} as Encoder<string>, chunks: () => ['a'], perQuery: 2 };
  void chunkedStep({ queries: tower, keys: tower, hardNegatives: hardTower });
  void chunkedStep({ queries: tower, loss: { objective: 'supcon', labels } });
  void chunkedStep({ queries: tower, keys: null, loss: { objective: 'supcon', labels } });
  void chunkedStep({
    queries: tower,
    keys: tower,
    normalize: true,
    matryoshka: { dims: [2, 1] },
    gradScale: 2,
  });
  // @ts-expect-error: no keys, and another objective
  void chunkedStep({ queries: tower, loss: { objective: 'clip' } });
  // @ts-expect-error: no number of negatives
  void chunkedStep({ queries: tower, keys: tower, hardNegatives: tower });
  // @ts-expect-error: prefixes are lengths
  void chunkedStep({ queries: tower, keys: tower, matryoshka: { dims: 'all' } });

  const own = await chunkedStep({
    queries: tower,
    keys: tower,
    // the features and the context need no types
    loss: async (q, k, _, context) => {
      const { logitScaleGrad, ...result } = await contrastiveLossAndGrad(q, k, { logitScale: 2, ...context });
      return { ...result, ofScale: logitScaleGrad, width: k.shape[1] };
    },
  });
  own.ofScale.toFixed();
  own.width.toFixed();
  own.rows.queries.toFixed();
  // @ts-expect-error: a step returns no gradients
  own.queryGrads;
  // @ts-expect-error: a loss needs a number
  void chunkedStep({ queries: tower, keys: tower, loss: () => ({ queryGrads: new Float32Array(1) }) });
  void chunkedStep({
    queries: tower,
    loss: (q, k: null) => ({ loss: q.shape[0], queryGrads: k ?? undefined }),
  });

  const sum = await chunkedStep({
    queries: tower,
    keys: tower,
    loss: sumOfLosses([{ weight: 2 }, { objective: 'siglip', logitBias: 1 }]),
  });
  sum.terms[0]!.accuracy.toFixed();
  // @ts-expect-error: a sigmoid has no smoothed labels
  sumOfLosses([{ objective: 'siglip', labelSmoothing: 0.1 }]);
  // @ts-expect-error: gradients are the step's
  sumOfLosses([{ grad: { keys: false } }]);
}

/** The option `group`, of steps, their losses and searches; and plans of ranks. */
export async function groups(group: ProcessGroup, matrix: MatrixLike) {
  const tower = { encoder, chunks: () => [1, 2] };
  void chunkedStep({ queries: tower, keys: tower, group });
  void chunkedStep({ queries: tower, keys: tower, loss: { group } });
  void chunkedStep({ queries: tower, loss: { objective: 'supcon', labels }, group });
  void chunkedStep({ queries: tower, keys: tower, group, loss: sumOfLosses([{ weight: 2 }]) });
  void topK(matrix, matrix, 1, { group });
  void ranks(matrix, matrix, { group, positives: labels });
  plan({ queries: 8, dim: 4, ranks: { count: 2, bytesPerSecond: 1e9 } }).ranks?.bytesSent.total.toFixed();
  // @ts-expect-error: a number of ranks is no group
  void chunkedStep({ queries: tower, keys: tower, group: 4 });
  // @ts-expect-error: the group is the step's
  sumOfLosses([{ group }]);
  // @ts-expect-error: ranks without their number
  plan({ queries: 8, dim: 4, ranks: { bytesPerSecond: 1e9 } });
}
