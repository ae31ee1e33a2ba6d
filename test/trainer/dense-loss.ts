/**
 * The float64 oracle with the signature of `contrastiveLossAndGrad`. The trainer's tests use it in place of
 * the native loss, so that they fail for the trainer's reasons only.
 */

import type { ContrastiveOptions, LossAndGradResult } from '../../lib/loss/contrastive-loss';
import type { MatrixLike } from '../../lib/matrix/host-matrix';
import { denseLossAndGrad as oracle } from '../reference/dense';

/** For float32 [rows x dim] inputs, objective 'clip'. */
export async function denseLossAndGrad(
  queries: MatrixLike,
  keys: MatrixLike,
  options: ContrastiveOptions = {},
): Promise<LossAndGradResult> {
  options.signal?.throwIfAborted();
  const result = oracle(asDense(queries), asDense(keys), { logitScale: options.logitScale });
  options.onProgress?.({ fraction: 1, phase: 'forward' });
  options.onProgress?.({ fraction: 1, phase: 'backward' });
  return {
    loss: result.loss,
    accuracy: result.accuracy,
    logitScaleGrad: result.logitScaleGrad,
    logitBiasGrad: 0,
    queryGrads: Float32Array.from(options.grad?.queries === false ? [] : result.queryGrads),
    keyGrads: Float32Array.from(options.grad?.keys === false ? [] : result.keyGrads),
    stats: { workspaceBytes: 1000 } as LossAndGradResult['stats'],
  };
}

function asDense(matrix: MatrixLike) {
  return { data: matrix.data as Float32Array, shape: matrix.shape as readonly [number, number] };
}
