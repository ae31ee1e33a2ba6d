/**
 * One training step with the backbone decoupled from the loss (gradient caching, arXiv 2101.06983). Encode
 * phase: encode chunk by chunk, without a graph. Loss: compute it exactly over all features at once. Backward
 * phase: encode each chunk again with a graph, and push its cached feature gradient through. Peak activations
 * are those of one chunk, for any batch size.
 *
 * Refuses to own parameters or an optimiser: encoders accumulate gradients, and the caller applies them.
 */

import { codedError } from '../errors';
import { contrastiveLossAndGrad } from '../loss/contrastive-loss';
import type { LossAndGradResult, Stats } from '../loss/loss-functions';
import { throwIfAborted } from '../loss/on-abort';
import type { AnyContrastiveOptions, Objective } from '../loss/options';
import { ProgressReporter } from '../loss/progress';
import type { CostReport } from './cost-report';
import { inTurn } from './encoder-turns';
import { type StepContext, secondsSince } from './step-context';
import { type CheckedStep, type ChunkedStepOptions, checkStep } from './step-options';
import { TowerPass } from './tower-pass';

export interface StepResult {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rows: { queries: number; keys: number };
  /** The cost of the loss, as the loss reports it. */
  stats: Stats;
  cost: CostReport;
}

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
 * A rejected step closes open iterators, restores random states, and frees the encoders for the next step.
 * After a rejection in the backward phase, encoders contain gradients of a part of the batch.
 */
export async function chunkedStep<Query, Key, O extends Objective = 'clip'>(
  options: ChunkedStepOptions<Query, Key, O>,
): Promise<StepResult> {
  const step = checkStep<Query, Key>(options);
  throwIfAborted(step.signal);
  const progress = new ProgressReporter(step.onProgress);
  const encoders = [step.queries.identity, step.keys.identity];
  const result = await inTurn(encoders, step.signal, () => runStep(step, { signal: step.signal, progress }));
  await progress.settled();
  return result;
}

async function runStep<Query, Key>(step: CheckedStep<Query, Key>, context: StepContext): Promise<StepResult> {
  const began = performance.now();
  const queries = new TowerPass(step.queries);
  const keys = new TowerPass(step.keys);

  await queries.encode(context);
  await keys.encode(context);
  if (queries.cache.dim !== keys.cache.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected towers of equal dim but received ${queries.cache.dim} for queries and ${keys.cache.dim} for keys`,
    );
  }

  const lossBegan = performance.now();
  const result = await lossOfTowers(queries, keys, step.loss, context);
  const lossSeconds = secondsSince(lossBegan);

  await backwardTowers(queries, keys, result, context);

  const { loss, accuracy, logitScaleGrad, logitBiasGrad, stats } = result;
  const rows = { queries: queries.cache.rows, keys: keys.cache.rows };
  const seconds = { loss: lossSeconds, total: secondsSince(began) };
  const cost = costOf(queries, keys, result, seconds);
  return { loss, accuracy, logitScaleGrad, logitBiasGrad, rows, stats, cost };
}

function costOf(
  queries: TowerPass<unknown>,
  keys: TowerPass<unknown>,
  result: LossAndGradResult,
  seconds: { loss: number; total: number },
): CostReport {
  const trained = [queries, keys].filter((tower) => tower.trained);
  const repeatedSeconds = trained.reduce((sum, tower) => sum + tower.encodeSeconds, 0);
  return {
    encode: {
      seconds: queries.encodeSeconds + keys.encodeSeconds,
      bytes: queries.cache.bytes + keys.cache.bytes,
    },
    loss: {
      seconds: seconds.loss,
      bytes:
        (queries.trained ? result.queryGrads.byteLength : 0) +
        (keys.trained ? result.keyGrads.byteLength : 0) +
        result.stats.workspaceBytes,
    },
    backward: {
      seconds: queries.backwardSeconds + keys.backwardSeconds,
      bytes: Math.max(queries.largestGradBytes(), keys.largestGradBytes()),
    },
    totalSeconds: seconds.total,
    overheadRatio: repeatedSeconds / seconds.total,
  };
}

async function lossOfTowers<Query, Key>(
  queries: TowerPass<Query>,
  keys: TowerPass<Key>,
  loss: AnyContrastiveOptions,
  { signal, progress }: StepContext,
): Promise<LossAndGradResult> {
  throwIfAborted(signal);
  const result = await contrastiveLossAndGrad(queries.cache.matrix(), keys.cache.matrix(), {
    ...loss,
    signal,
    onProgress: (done) => {
      // the forward pass is one of the four matrix products
      const fraction = done.phase === 'forward' ? done.fraction / 4 : (1 + 3 * done.fraction) / 4;
      progress.report({ phase: 'loss', fraction, rows: queries.cache.rows });
      // an error here stops the loss
      progress.throwIfFailed();
      return loss.onProgress?.(done);
    },
  });
  progress.throwIfFailed();
  return result;
}

/**
 * The backward phases of both towers. Afterwards each encoder draws on from the random state that the encode
 * phase left.
 */
async function backwardTowers<Query, Key>(
  queries: TowerPass<Query>,
  keys: TowerPass<Key>,
  grads: { queryGrads: Float32Array; keyGrads: Float32Array },
  context: StepContext,
): Promise<void> {
  // read only now: both encoders may draw from one generator of their framework
  const resume = [queries.resumePoint(), keys.resumePoint()];
  try {
    await queries.backward(grads.queryGrads, context);
    await keys.backward(grads.keyGrads, context);
  } finally {
    for (const restore of resume) restore();
  }
}
