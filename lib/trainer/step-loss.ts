/**
 * The loss of a step: from the features of all towers to the gradients of the trained ones. This file has the
 * interface, and the loss that `options.loss` describes by options.
 *
 * Refuses to know encoders and chunks.
 */

import { contrastiveLossAndGrad } from '../loss/contrastive-loss';
import type { AnyContrastiveOptions, GradientOutputs, HardNegativeRows, Progress } from '../loss/options';
import type { MatrixLike } from '../matrix/host-matrix';
import { fractionOf } from './loss-progress';
import type { CheckedHardNegatives, PerTower } from './tower';

/** The features of each tower. There are always queries. */
export interface LossFeatures extends PerTower<MatrixLike> {
  queries: MatrixLike;
}

/** What a step tells its loss. */
export interface LossContext {
  signal: AbortSignal | undefined;
  /** Takes the fraction of the loss that is done. An error that it throws ends the step. */
  report: (fraction: number) => void;
}

export interface LossOutcome {
  /** dLoss/dFeatures of each trained tower, [rows x dim]; null for other towers. The step may overwrite them. */
  grads: PerTower<Float32Array>;
  /** Fields of the step's result. */
  result: Record<string, unknown>;
  /** Memory that the loss took beside the gradients. */
  scratchBytes: number;
}

export type StepLoss = (features: LossFeatures, context: LossContext) => Promise<LossOutcome>;

/** Which towers a step trains. */
export type TrainedTowers = Record<keyof PerTower<unknown>, boolean>;

/** The loss by options, after their checks. */
export interface LossByOptions {
  options: AnyContrastiveOptions;
  trained: TrainedTowers;
  /** What the tower of hard negatives says about its rows. */
  hardNegatives: CheckedHardNegatives<unknown> | null;
}

/** One call of the loss functions. */
export const lossByOptions =
  (loss: LossByOptions): StepLoss =>
  (features, context) =>
    callLoss(loss, features, context);

/** @param out The arrays for the gradients, in place of those of the options. */
export async function callLoss(
  { options, trained, hardNegatives: hard }: LossByOptions,
  { queries, keys, hardNegatives }: LossFeatures,
  { signal, report }: LossContext,
  out: GradientOutputs | undefined = options.out,
): Promise<LossOutcome> {
  const call: AnyContrastiveOptions = {
    ...options,
    ...(hardNegatives && hard && { hardNegatives: { keys: hardNegatives, ...rowsOf(hard), ids: hard.ids } }),
    grad: gradOf(trained, hardNegatives !== null || options.hardNegatives !== undefined),
    out,
    signal,
    onProgress: (done: Progress) => {
      report(fractionOf(done));
      return options.onProgress?.(done);
    },
  };
  const { queryGrads, keyGrads, hardNegativeGrads, ...numbers } = await contrastiveLossAndGrad(
    queries,
    keys,
    call,
  );
  const { loss, accuracy, logitScaleGrad, logitBiasGrad, stats } = numbers;
  return {
    grads: {
      queries: trained.queries ? queryGrads : null,
      keys: trained.keys ? keyGrads : null,
      hardNegatives: hardNegativeGrads ?? null,
    },
    result: { loss, accuracy, logitScaleGrad, logitBiasGrad, stats },
    scratchBytes: stats.workspaceBytes,
  };
}

const rowsOf = ({ perQuery, offsets }: HardNegativeRows): HardNegativeRows =>
  offsets === undefined ? { perQuery } : { offsets };

function gradOf(
  { queries, keys, hardNegatives }: TrainedTowers,
  withHardNegatives: boolean,
): NonNullable<AnyContrastiveOptions['grad']> {
  return { queries, keys, ...(withHardNegatives && { hardNegatives }) };
}
