/**
 * One training step with the backbone decoupled from the loss (gradient caching, arXiv 2101.06983). Encode
 * phase: encode chunk by chunk, without a graph. Loss: compute it exactly over all features at once. Backward
 * phase: encode each chunk again with a graph, and push its cached feature gradient through. Peak activations
 * are those of one chunk, for any batch size.
 *
 * Refuses to own parameters or an optimiser: encoders accumulate gradients, and the caller applies them.
 */

import { codedError } from '../errors';
import { countHardNegatives, fitOffsets } from '../loss/hard-negative-rows';
import type { Stats } from '../loss/loss-functions';
import type { HardNegativeRows, Objective } from '../loss/options';
import { ProgressReporter } from '../loss/progress';
import type { MatrixLike } from '../matrix/host-matrix';
import { throwIfAborted } from '../on-abort';
import type { CostReport } from './cost-report';
import { groupAmongStep, refuseStep, turnOfStep } from './group-step';
import type { PrefixResult } from './matryoshka';
import { OverallProgress } from './overall-progress';
import type { OwnLossResult } from './own-loss';
import { type StepContext, secondsSince } from './step-context';
import { costOf } from './step-cost';
import type { LossFeatures, LossOutcome, StepLoss } from './step-loss';
import {
  type CheckedStep,
  type ChunkedStepOptions,
  checkStep,
  type OneTowerStepOptions,
  type OwnLossStepOptions,
  type SupconStepOptions,
} from './step-options';
import type { PerTower } from './tower';
import { TowerPass } from './tower-pass';

/** The number of rows of each tower. */
export interface StepRows {
  queries: number;
  /** 0 without a tower of keys. */
  keys: number;
  /** Absent without a tower of hard negatives. */
  hardNegatives?: number;
}

export interface StepResult {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rows: StepRows;
  /** The cost of the loss, as the loss reports it. */
  stats: Stats;
  /** With `matryoshka`: the loss on each prefix, the longest first. `accuracy` is that of the longest one. */
  prefixes?: PrefixResult[];
  cost: CostReport;
}

/** What a loss of the caller's own returned, without its gradients, and what the step adds. */
export type OwnStepResult<R extends OwnLossResult> = Omit<R, OwnLossOnly | 'rows' | 'cost'> & {
  rows: StepRows;
  cost: CostReport;
};

/** What the step uses and does not return. */
type OwnLossOnly = 'queryGrads' | 'keyGrads' | 'hardNegativeGrads' | 'scratchBytes';

/** A step whose loss is the caller's own, over two towers. All else is as with options for the loss. */
export function chunkedStep<Query, Key, R extends OwnLossResult, Hard = Key>(
  options: OwnLossStepOptions<Query, Key, R, Hard>,
): Promise<OwnStepResult<R>>;
/** A step whose loss is the caller's own, over one tower. All else is as with options for the loss. */
export function chunkedStep<Query, R extends OwnLossResult, Hard = Query>(
  options: OneTowerStepOptions<Query, R, Hard>,
): Promise<OwnStepResult<R>>;
/** A step over one tower, whose rows are compared with each other: objective 'supcon'. */
export function chunkedStep<Query>(options: SupconStepOptions<Query>): Promise<StepResult>;
/**
 * Runs one step and leaves dLoss/dParameters added up inside the encoders. Steps with a common encoder take
 * turns, in the order of their calls.
 *
 * Reads and checks options before anything is encoded: rejects with ERR_TYPE, ERR_VALUE, ERR_OPTION,
 * ERR_NOT_IMPLEMENTED, ERR_ENCODER or ERR_CHUNKS.
 *
 * Later, rejects with ERR_CHUNKS for no chunks, or for other chunks in the backward phase than in the encode
 * phase. Rejects with the loss functions' codes for features, and with `signal.reason`. Errors of an encoder,
 * an iterator, `onProgress` or the loss reach the caller unchanged.
 *
 * With a group, a step that rejects on one rank rejects on all, on the others with ERR_RANK_FAILED. The group can then
 * be used again.
 *
 * A rejected step closes open iterators, restores random states, and frees the encoders for the next step.
 * After a rejection in the backward phase, encoders contain gradients of a part of the batch.
 */
export function chunkedStep<Query, Key, O extends Objective = 'clip', Hard = Key>(
  options: ChunkedStepOptions<Query, Key, O, Hard>,
): Promise<StepResult>;
export async function chunkedStep(options: unknown): Promise<unknown> {
  const step = checkedOnAllRanks(options);
  const progress = new ProgressReporter(step.onProgress);
  const result = await turnOfStep(step, () => runStep(step, { signal: step.signal, progress }));
  await progress.settled();
  return result;
}

/** The options of a step that may begin. An error ends the step of the other ranks too. */
function checkedOnAllRanks(options: unknown): CheckedStep {
  const group = groupAmongStep(options);
  try {
    const step = checkStep(options);
    throwIfAborted(step.signal);
    return step;
  } catch (error) {
    if (group) refuseStep(group, error);
    throw error;
  }
}

async function runStep(step: CheckedStep, given: StepContext): Promise<unknown> {
  const began = performance.now();
  const towers = step.towers.map((tower) => new TowerPass(tower, step.gradScale));
  const context = step.onProgress === undefined ? given : withOverall(given, step, towers);
  for (const tower of towers) await tower.encode(context);
  requireFit(towers, step.hardNegativeRows);

  const lossBegan = performance.now();
  const outcome = await lossOfTowers(towers, step.loss, context);
  const lossSeconds = secondsSince(lossBegan);

  await backwardTowers(towers, outcome.grads, context);

  const rows: StepRows = { queries: 0, keys: 0 };
  for (const tower of towers) rows[tower.name] = tower.cache.rows;
  const seconds = { loss: lossSeconds, total: secondsSince(began) };
  return { ...outcome.result, rows, cost: costOf(towers, outcome, seconds) };
}

/** The same context, whose reports say how much of the whole step is done. The step begins now. */
function withOverall(
  { signal, progress }: StepContext,
  { estimateLoss, hardNegativeRows }: CheckedStep,
  towers: readonly TowerPass<unknown>[],
): StepContext {
  const expected = towers.map(({ name, trained, expectedRows }) => {
    const { perQuery, offsets } = (name === 'hardNegatives' && hardNegativeRows) || {};
    return { name, trained, rows: expectedRows ?? offsets?.at(-1), perQuery };
  });
  const overall = new OverallProgress(expected, ({ queries, keys }) => {
    const { dim, dtype } = towers[0]!.cache;
    return estimateLoss({ queries, keys, dim, dtype });
  });
  return {
    signal,
    progress: {
      report: (done) => progress.report({ ...done, overall: overall.after(done) }),
      throwIfFailed: () => progress.throwIfFailed(),
    },
  };
}

/** Throws ERR_SHAPE where the features of the towers do not belong together. */
function requireFit(towers: readonly TowerPass<unknown>[], negatives: HardNegativeRows | undefined): void {
  const [queries, ...others] = towers as [TowerPass<unknown>, ...TowerPass<unknown>[]];
  for (const { name, cache } of others) {
    if (cache.dim !== queries.cache.dim) {
      throw codedError(
        'ERR_SHAPE',
        `Expected towers of equal dim but received ${queries.cache.dim} for queries and ${cache.dim} for ${name}`,
      );
    }
    if (negatives && name === 'hardNegatives') requireNegatives(cache.rows, queries.cache.rows, negatives);
  }
}

function requireNegatives(received: number, queries: number, negatives: HardNegativeRows): void {
  fitOffsets('options.hardNegatives', negatives, queries);
  const expected = countHardNegatives(negatives, queries);
  if (received === expected) return;
  const { perQuery } = negatives;
  const why = perQuery === undefined ? 'the last of offsets' : `perQuery ${perQuery}, ${queries} queries`;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${expected} rows (${why}) from hardNegatives.chunks() but received ${received}`,
  );
}

async function lossOfTowers(
  towers: readonly TowerPass<unknown>[],
  loss: StepLoss,
  { signal, progress }: StepContext,
): Promise<LossOutcome> {
  throwIfAborted(signal);
  const features: PerTower<MatrixLike> = { queries: null, keys: null, hardNegatives: null };
  for (const tower of towers) features[tower.name] = tower.cache.matrix();
  const rows = towers[0]!.cache.rows;
  const outcome = await loss(features as LossFeatures, {
    signal,
    report: (fraction) => {
      progress.report({ phase: 'loss', fraction, rows });
      // an error here stops the loss
      progress.throwIfFailed();
    },
  });
  progress.throwIfFailed();
  return outcome;
}

/**
 * The backward phases of all towers. Afterwards each encoder draws on from the random state that the encode
 * phase left.
 */
async function backwardTowers(
  towers: readonly TowerPass<unknown>[],
  grads: PerTower<Float32Array>,
  context: StepContext,
): Promise<void> {
  // read only now: all encoders may draw from one generator of their framework
  const resume = towers.map((tower) => tower.resumePoint());
  try {
    for (const tower of towers) await tower.backward(grads[tower.name], context);
  } finally {
    for (const restore of resume) restore();
  }
}
