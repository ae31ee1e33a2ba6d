/**
 * One training step with the backbone decoupled from the loss (gradient caching, arXiv 2101.06983): encode chunk by
 * chunk without a graph, compute the exact loss over all features at once, encode each chunk again with a graph and
 * push its cached feature gradient through. Peak activations are those of one chunk, whatever the batch.
 *
 * Refuses to own parameters or an optimiser: encoders accumulate, the caller applies.
 */

import {
  type ContrastiveOptions,
  contrastiveLossAndGrad,
  type LossAndGradResult,
  type Stats,
} from '../contrastive-loss';
import { codedError } from '../errors';
import type { CostReport } from './cost-report';
import { type StepContext, type StepProgress, secondsSince, type Tower, TowerPass } from './tower-pass';

export interface ChunkedStepOptions<Query, Key> {
  queries: Tower<Query>;
  keys: Tower<Key>;
  /** Passed on to the loss; `grad` is narrowed for frozen towers. */
  loss?: ContrastiveOptions;
  /** Polled between chunks and inside the loss; the step rejects with `signal.reason`. */
  signal?: AbortSignal;
  onProgress?: (progress: StepProgress) => void;
}

export interface StepResult {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rows: { queries: number; keys: number };
  /** What the loss reported about itself. */
  stats: Stats;
  cost: CostReport;
}

/**
 * Runs one step and leaves dLoss/dParameters added up inside the encoders.
 *
 * Rejects with ERR_CHUNKS (no chunks, or a second pass unlike the first), ERR_SHAPE or ERR_DTYPE (features that
 * are not [rows x dim] float32, or dims that differ), ERR_ENCODER (an encoder that cannot do what is asked), with
 * `signal.reason`, and with whatever an encoder, an iterator or the loss throws. Open iterators are closed and random
 * states put back. After a rejection in the backward phase encoders hold gradients of part of the batch.
 */
export async function chunkedStep<Query, Key>(options: ChunkedStepOptions<Query, Key>): Promise<StepResult> {
  const began = performance.now();
  const context: StepContext = {
    signal: options.signal ?? options.loss?.signal,
    onProgress: options.onProgress,
  };
  const queries = new TowerPass('queries', options.queries, options.loss?.grad?.queries);
  const keys = new TowerPass('keys', options.keys, options.loss?.grad?.keys);
  if (!queries.trained && !keys.trained) {
    throw codedError(
      'ERR_ENCODER',
      'Expected a tower to train but both are frozen (no backward method, or loss.grad turned off): use contrastiveLoss',
    );
  }

  await queries.encode(context);
  await keys.encode(context);
  if (queries.cache.dim !== keys.cache.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected towers of equal dim but received ${queries.cache.dim} for queries and ${keys.cache.dim} for keys`,
    );
  }

  const lossBegan = performance.now();
  const result = await lossOfTowers(queries, keys, options.loss ?? {}, context);
  const lossSeconds = secondsSince(lossBegan);

  await backwardTowers(queries, keys, result, context);

  const encodeSeconds = queries.encodeSeconds + keys.encodeSeconds;
  const repeatedSeconds =
    (queries.trained ? queries.encodeSeconds : 0) + (keys.trained ? keys.encodeSeconds : 0);
  const totalSeconds = secondsSince(began);
  return {
    loss: result.loss,
    accuracy: result.accuracy,
    logitScaleGrad: result.logitScaleGrad,
    logitBiasGrad: result.logitBiasGrad,
    rows: { queries: queries.cache.rows, keys: keys.cache.rows },
    stats: result.stats,
    cost: {
      encode: { seconds: encodeSeconds, bytes: queries.cache.bytes + keys.cache.bytes },
      loss: {
        seconds: lossSeconds,
        bytes:
          (queries.trained ? result.queryGrads.byteLength : 0) +
          (keys.trained ? result.keyGrads.byteLength : 0) +
          result.stats.workspaceBytes,
      },
      backward: {
        seconds: queries.backwardSeconds + keys.backwardSeconds,
        bytes: Math.max(queries.largestGradBytes(), keys.largestGradBytes()),
      },
      totalSeconds,
      overheadRatio: repeatedSeconds / totalSeconds,
    },
  };
}

function lossOfTowers<Query, Key>(
  queries: TowerPass<Query>,
  keys: TowerPass<Key>,
  loss: ContrastiveOptions,
  context: StepContext,
): Promise<LossAndGradResult> {
  const { signal, onProgress } = context;
  signal?.throwIfAborted();
  return contrastiveLossAndGrad(queries.cache.matrix(), keys.cache.matrix(), {
    ...loss,
    grad: { queries: queries.trained, keys: keys.trained },
    signal,
    onProgress: (done) => {
      loss.onProgress?.(done);
      // one of the four matrix products is the forward phase
      const fraction = done.phase === 'forward' ? done.fraction / 4 : (1 + 3 * done.fraction) / 4;
      onProgress?.({ phase: 'loss', fraction, rows: queries.cache.rows });
    },
  });
}

/** Both second passes, after which each encoder draws on from where the first passes left its random state. */
async function backwardTowers<Query, Key>(
  queries: TowerPass<Query>,
  keys: TowerPass<Key>,
  grads: { queryGrads: Float32Array; keyGrads: Float32Array },
  context: StepContext,
): Promise<void> {
  // read only now: encoders of the two towers may draw from one generator of their framework
  const resume = [queries.resumePoint(), keys.resumePoint()];
  try {
    await queries.backward(grads.queryGrads, context);
    await keys.backward(grads.keyGrads, context);
  } finally {
    for (const restore of resume) restore();
  }
}
