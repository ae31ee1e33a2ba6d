/**
 * A loss of the caller's own in a step: a function from features to a number and its gradients. Its result is
 * checked before any gradient reaches an encoder.
 *
 * Refuses gradients of another shape, gradients that share memory, NaN and infinity.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import type { ProcessGroup } from '../group/process-group';
import type { Progress } from '../loss/options';
import type { MatrixLike } from '../matrix/host-matrix';
import { throwIfAborted } from '../on-abort';
import * as check from '../validate';
import { fractionOf } from './loss-progress';
import { gradNames, refuseOverlap, requireGrads } from './step-grads';
import type { LossContext, LossFeatures, LossOutcome, StepLoss, TrainedTowers } from './step-loss';
import { type PerTower, towerNames } from './tower';

/** Features of one tower as the step keeps them: row-major, without gaps between rows. */
export interface StepFeatures extends MatrixLike {
  /** A view of the step's own memory: read it, and neither change nor keep it. */
  data: Float32Array | Uint16Array;
  shape: readonly [rows: number, dim: number];
  dtype: 'float32' | 'float16' | 'bfloat16';
}

/** Features of the tower of hard negatives. They are also the `hardNegatives.keys` of infcl's loss functions. */
export interface StepHardNegatives extends StepFeatures {
  /** Those of the tower: rows from offsets[i] to before offsets[i + 1] belong to query i. Undefined with `perQuery`. */
  offsets?: Int32Array | undefined;
}

/**
 * What a step tells a loss of the caller's own. The names are those of the options of infcl's loss functions:
 * `contrastiveLossAndGrad(queries, keys, { logitScale: 20, ...context })`.
 */
export interface OwnLossContext {
  signal: AbortSignal | undefined;
  /** The towers that get a gradient. Gradients of other towers are ignored. */
  grad: { queries: boolean; keys: boolean; hardNegatives: boolean };
  /** The group of the step: the features are those of one rank. */
  group?: ProcessGroup | undefined;
  /** Reports progress of the loss to the step. Throws where an `onProgress` of the step has failed. */
  onProgress: (done: Progress) => void;
}

/** The gradients are float32, [rows x dim] of their tower. The step takes them over and may overwrite them. */
export interface OwnLossResult {
  /** Finite. The step returns it unchanged. */
  loss: number;
  /** dLoss/dQueries. Needed where the queries tower is trained; the same holds for the other towers. */
  queryGrads?: Float32Array | undefined;
  keyGrads?: Float32Array | undefined;
  hardNegativeGrads?: Float32Array | undefined;
  /** For the report of the cost: bytes that the loss took beside the gradients. Default: `stats.workspaceBytes`. */
  scratchBytes?: number | undefined;
}

/** `Keys` is null in a step of one tower. Whatever else the result contains, the step returns too. */
export type OwnLoss<R extends OwnLossResult = OwnLossResult, Keys = StepFeatures | null> = (
  queries: StepFeatures,
  keys: Keys,
  hardNegatives: StepHardNegatives | null,
  context: OwnLossContext,
) => R | Promise<R>;

/** Names of a step's own result, which a loss must not use. */
const stepResultNames = ['rows', 'cost'];

/** What the step knows beside the towers. */
interface OfStep {
  /** Of ragged hard negatives. */
  offsets: Int32Array | undefined;
  group: ProcessGroup | undefined;
}

/** The step's side of a loss of the caller's own. */
export const ownLoss =
  (loss: OwnLoss, trained: TrainedTowers, { offsets, group }: OfStep): StepLoss =>
  async (features, context) => {
    const { queries, keys, hardNegatives } = features as PerTower<StepFeatures>;
    const ragged = hardNegatives && offsets && { ...hardNegatives, offsets };
    const returned: unknown = await loss(
      queries!,
      keys,
      ragged ?? hardNegatives,
      contextOf(trained, group, context),
    );
    throwIfAborted(context.signal);
    context.report(1);
    return readResult(returned, features, trained);
  };

function contextOf(
  trained: TrainedTowers,
  group: ProcessGroup | undefined,
  { signal, report }: LossContext,
): OwnLossContext {
  const common = { signal, grad: { ...trained }, onProgress: (done: Progress) => report(fractionOf(done)) };
  return group === undefined ? common : { ...common, group };
}

/** Throws ERR_TYPE, ERR_OPTION, ERR_SHAPE, ERR_NOT_FINITE, ERR_OVERLAP, ERR_BUFFER or ERR_DETACHED. */
function readResult(returned: unknown, features: LossFeatures, trained: TrainedTowers): LossOutcome {
  const where = 'options.loss()';
  if (
    typeof returned !== 'object' ||
    returned === null ||
    isArray(returned) ||
    ArrayBuffer.isView(returned)
  ) {
    throw check.invalid('ERR_TYPE', where, 'object { loss, queryGrads, keyGrads }', returned);
  }
  const { queryGrads, keyGrads, hardNegativeGrads, scratchBytes, ...rest } = returned as OwnLossResult;
  const given = { queryGrads, keyGrads, hardNegativeGrads };
  const result: Record<string, unknown> = rest;
  const taken = stepResultNames.find((name) => result[name] !== undefined);
  if (taken !== undefined) {
    throw codedError(
      'ERR_OPTION',
      `Expected no ${where}.${taken}, as the step's result has its own: rename it`,
    );
  }
  if (typeof result.loss !== 'number')
    throw check.invalid('ERR_TYPE', `${where}.loss`, 'number', result.loss);
  if (!Number.isFinite(result.loss)) {
    throw check.invalid('ERR_NOT_FINITE', `${where}.loss`, 'finite number', result.loss);
  }
  const grads: PerTower<Float32Array> = { queries: null, keys: null, hardNegatives: null };
  for (const tower of towerNames) {
    const { [tower]: matrix } = features;
    if (!trained[tower] || matrix === null) continue;
    grads[tower] = readGrads(`${where}.${gradNames[tower]}`, given[gradNames[tower]], matrix as StepFeatures);
  }
  refuseOverlap(where, grads, features);
  if (scratchBytes !== undefined) check.nonNegativeInteger(`${where}.scratchBytes`, scratchBytes);
  return { grads, result, scratchBytes: scratchBytes ?? workspaceOf(result.stats) };
}

function readGrads(name: string, value: unknown, { shape }: StepFeatures): Float32Array {
  const [rows, dim] = shape;
  const grads = requireGrads(name, value, shape);
  // 0 times a number is 0, and 0 times NaN or infinity is NaN
  let zeros = 0;
  for (let at = 0; at < rows * dim; at++) zeros += 0 * grads[at]!;
  if (zeros === 0) return grads;
  const bad = grads.findIndex((value) => !Number.isFinite(value));
  const place = `row ${Math.floor(bad / dim)}, column ${bad % dim} of ${name}`;
  throw check.invalid('ERR_NOT_FINITE', place, 'finite number', grads[bad]);
}

/** What a call of infcl's loss functions says about its memory, if the loss returned that. */
function workspaceOf(stats: unknown): number {
  const { workspaceBytes } = (stats ?? {}) as { workspaceBytes?: unknown };
  return typeof workspaceBytes === 'number' ? workspaceBytes : 0;
}
