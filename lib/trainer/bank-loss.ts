/**
 * A loss for `chunkedStep` whose keys are followed by the rows of a bank. Given a bank for either side, both directions
 * count, as in `clip`.
 *
 * Refuses options that the bank decides, such as ids.
 */

import { codedError } from '../errors';
import { contrastiveLossAndGrad } from '../loss/contrastive-loss';
import type { LossAndGradResult, Stats } from '../loss/loss-functions';
import type { AnyContrastiveOptions } from '../loss/options';
import { readOptions } from '../loss/resolve';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { FeatureBank } from './feature-bank';
import { fractionOf, progressAt } from './loss-progress';
import type { OwnLoss, OwnLossContext, OwnLossResult, StepFeatures } from './own-loss';

const optionNames = [
  ...(['objective', 'logitScale', 'logitBias', 'labelSmoothing', 'falseNegativeMargin', 'hardness'] as const),
  ...(['compute', 'gradientFilter', 'backend', 'device', 'threads', 'workspaceBytes'] as const),
] as const;

/** Options of the loss functions. `objective` is 'infonce', the default, or 'siglip'. */
export type BankLossTerms = Pick<
  AnyContrastiveOptions,
  Exclude<(typeof optionNames)[number], 'objective'>
> & {
  objective?: 'infonce' | 'siglip' | undefined;
};

export interface BankLossOptions {
  /** The bank of earlier keys, which are negatives of the queries. */
  keys: FeatureBank;
  /** A bank of earlier queries, which are negatives of the keys. With it, the loss is the mean of both directions. */
  queries?: FeatureBank | undefined;
  /**
   * The id of each pair of this batch, [rows]. A row of a bank with the id of a query or key does not count
   * against it. Nor does another row of the batch with the same id.
   */
  ids: Int32Array;
  /**
   * Beside a tower of hard negatives: the id of each of its rows, [rows × perQuery]. A hard negative with the id of its
   * query does not count. Default: all count.
   */
  hardNegativeIds?: Int32Array | undefined;
  loss?: BankLossTerms | undefined;
}

export interface BankLossResult extends OwnLossResult {
  /** Mean over the directions; one direction without a bank of queries. The same holds for the next three. */
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  /** Of each direction: queries against keys, then keys against queries. */
  stats: Stats[];
  /** Rows of the bank of keys that counted. */
  bankRows: number;
}

interface CheckedBankLoss {
  keys: FeatureBank;
  queries: FeatureBank | undefined;
  ids: Int32Array;
  hardNegativeIds: Int32Array | undefined;
  options: AnyContrastiveOptions;
}

/**
 * The loss of queries against their keys and a bank, for the option `loss` of `chunkedStep`. Row i of the keys
 * belongs to row i of the queries, and there are as many. A tower of hard negatives counts against the queries
 * alone, with objective 'infonce'. After the loss, the features of queries and keys go into the banks: make a new
 * loss for each step, with the ids of its batch.
 *
 *     const loss = bankLoss({ keys: bank, ids, loss: { logitScale: 20 } });
 *     await chunkedStep({ queries, keys, normalize: true, loss });
 *
 * The element type and the width of a bank are those of the features in the step: float32 with `normalize`.
 *
 * Throws ERR_TYPE, ERR_VALUE or ERR_OPTION when it is called. In the step, the loss throws as the loss functions, and
 * ERR_SHAPE, ERR_DTYPE or ERR_VALUE for features that do not fit the ids, a bank or the objective; the banks are
 * unchanged then.
 */
export function bankLoss(options: BankLossOptions): OwnLoss<BankLossResult, StepFeatures> {
  const checked = readBankLoss(options);
  return async (queries, keys, hardNegatives, context) => {
    requireRows(checked.ids, queries, keys);
    requireHardNegatives(checked, hardNegatives);
    const count = checked.queries === undefined ? 1 : 2;
    const forwardSides = { rows: queries, keys, bank: checked.keys, hardNegatives };
    const forward = await oneDirection(checked, forwardSides, context, [0, count]);
    const result = joined([forward]);
    if (checked.queries === undefined) {
      checked.keys.push(keys, checked.ids);
      return result;
    }
    const swapped = {
      ...context,
      grad: { ...context.grad, queries: context.grad.keys, keys: context.grad.queries },
    };
    const sides = { rows: keys, keys: queries, bank: checked.queries, hardNegatives: null };
    const backward = await oneDirection(checked, sides, swapped, [1, count]);
    checked.keys.push(keys, checked.ids);
    checked.queries.push(queries, checked.ids);
    const { queryGrads, keyGrads } = backward.result;
    return joined([
      forward,
      { ...backward, result: { ...backward.result, queryGrads: keyGrads, keyGrads: queryGrads } },
    ]);
  };
}

function readBankLoss(options: unknown): CheckedBankLoss {
  const given = readNames('options', options, ['keys', 'queries', 'ids', 'hardNegativeIds', 'loss']);
  const keys = readBank('options.keys', given.keys);
  const queries = given.queries === undefined ? undefined : readBank('options.queries', given.queries);
  if (queries === keys) {
    throw codedError('ERR_VALUE', 'Expected one bank for options.keys and another for options.queries');
  }
  const ids = check.int32Array('options.ids', given.ids).slice();
  const hardNegativeIds =
    given.hardNegativeIds === undefined
      ? undefined
      : check.int32Array('options.hardNegativeIds', given.hardNegativeIds).slice();
  const named = readNames('options.loss', given.loss ?? {}, optionNames);
  const objective =
    named.objective === undefined
      ? 'infonce'
      : check.oneOf('options.loss.objective', named.objective, ['infonce', 'siglip']);
  if (objective === 'siglip' && queries !== undefined) {
    throw codedError(
      'ERR_VALUE',
      "Expected no options.queries for objective 'siglip', which counts each pair once, but received a bank",
    );
  }
  return { keys, queries, ids, hardNegativeIds, options: readOptions({ ...named, objective }) };
}

function readBank(name: string, value: unknown): FeatureBank {
  if (value instanceof FeatureBank) return value;
  throw check.invalid('ERR_TYPE', name, 'FeatureBank', value);
}

function requireRows(ids: Int32Array, queries: StepFeatures, keys: StepFeatures): void {
  const [rows, others] = [queries.shape[0], keys.shape[0]];
  if (rows === others && rows === lengthOf(ids)) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected as many queries, keys and ids for bankLoss but received ${rows}, ${others} and ${lengthOf(ids)}`,
  );
}

function requireHardNegatives(
  { hardNegativeIds, options }: CheckedBankLoss,
  hardNegatives: StepFeatures | null,
): void {
  if (hardNegatives === null && hardNegativeIds !== undefined) {
    throw codedError(
      'ERR_VALUE',
      'Expected a tower of hard negatives for hardNegativeIds of bankLoss but received none',
    );
  }
  if (hardNegatives !== null && options.objective === 'siglip') {
    throw codedError(
      'ERR_VALUE',
      "Expected objective 'infonce' of bankLoss beside a tower of hard negatives but received siglip",
    );
  }
}

/** One side against the other one. Hard negatives belong to `rows`. */
interface Sides {
  rows: StepFeatures;
  keys: StepFeatures;
  bank: FeatureBank;
  hardNegatives: StepFeatures | null;
}

interface Direction {
  result: LossAndGradResult;
  /** Rows of the bank. */
  bankRows: number;
  /** Memory beside the gradients. */
  bytes: number;
}

/** One call: `rows` against `keys` and the bank behind them. `[index, count]` says where in the loss the call is. */
async function oneDirection(
  { ids, hardNegativeIds, options }: CheckedBankLoss,
  { rows, keys, bank, hardNegatives: hard }: Sides,
  { signal, grad, group, onProgress }: OwnLossContext,
  [index, count]: [number, number],
): Promise<Direction> {
  const all = bank.behind(keys, ids);
  const perQuery = hard === null ? 0 : hard.shape[0] / rows.shape[0];
  const call: AnyContrastiveOptions = {
    ...options,
    queryIds: ids,
    keyIds: all.ids,
    hardNegatives: hard === null ? undefined : { keys: hard, perQuery, ids: hardNegativeIds },
    grad: {
      queries: grad.queries,
      keys: grad.keys && { rows: all.rows },
      hardNegatives: hard === null ? undefined : grad.hardNegatives,
    },
    group,
    signal,
    onProgress: (done) => onProgress(progressAt((index + fractionOf(done)) / count)),
  };
  const result = await contrastiveLossAndGrad(rows, all.features, call);
  const bytes = all.features.data.byteLength + result.stats.workspaceBytes;
  return { result, bankRows: bank.size, bytes };
}

/** The mean of the directions. Adds gradients up in the arrays of the first one. */
function joined(directions: readonly [Direction, ...Direction[]]): BankLossResult {
  const [{ result: first, bankRows }, second] = directions;
  const weight = 1 / directions.length;
  const mean = (name: 'loss' | 'accuracy' | 'logitScaleGrad' | 'logitBiasGrad') =>
    directions.reduce((sum, { result }) => sum + weight * result[name], 0);
  const { hardNegativeGrads } = first;
  if (second !== undefined) {
    if (hardNegativeGrads)
      for (let at = 0; at < hardNegativeGrads.length; at++) hardNegativeGrads[at]! *= weight;
    for (const name of ['queryGrads', 'keyGrads'] as const) {
      const [into, from] = [first[name], second.result[name]];
      for (let at = 0; at < into.length; at++) into[at] = weight * (into[at]! + from[at]!);
    }
  }
  return {
    loss: mean('loss'),
    accuracy: mean('accuracy'),
    logitScaleGrad: mean('logitScaleGrad'),
    logitBiasGrad: mean('logitBiasGrad'),
    stats: directions.map(({ result }) => result.stats),
    bankRows,
    scratchBytes: Math.max(...directions.map(({ bytes }) => bytes)),
    queryGrads: first.queryGrads,
    keyGrads: first.keyGrads,
    ...(hardNegativeGrads && { hardNegativeGrads }),
  };
}
