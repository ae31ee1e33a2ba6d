/**
 * The features of one tower without a step: for a validation loss, for evaluation, for a store or a bank.
 *
 * Refuses gradients: an encoder may have `backward`, which is not called.
 */

import { ProgressReporter } from '../loss/progress';
import type { PackedMatrix } from '../matrix/pack-rows';
import { throwIfAborted } from '../on-abort';
import { readNames } from '../read-names';
import type { StoreWriter } from '../store/store-writer';
import * as check from '../validate';
import { encodeChunks, type FeatureSink } from './encode-chunks';
import { inTurn } from './encoder-turns';
import { RepresentationCache } from './representation-cache';
import { betweenChunks, type StepProgress } from './step-context';
import { readStore, StoreSink } from './store-sink';
import { type CheckedTower, readTower, type Tower, towerOptionNames } from './tower';

export interface EncodeProgress {
  /** From 0 to 1, if the tower says how many rows there are. */
  fraction?: number | undefined;
  /** Rows encoded so far. */
  rows: number;
}

export interface EncodeFeaturesOptions {
  /** Polled between chunks; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * Called after each chunk. An error that it throws ends the work. So does the rejection of a promise
   * that it returns; the call settles after such promises.
   */
  onProgress?: ((progress: EncodeProgress) => unknown) | undefined;
}

/** What was written into a store. */
export interface EncodedRows {
  /** [rows of this call, dim]. */
  shape: [rows: number, dim: number];
}

interface CheckedCall<Input> {
  tower: CheckedTower<Input, 'tower'>;
  signal: AbortSignal | undefined;
  onProgress: ((progress: EncodeProgress) => unknown) | undefined;
  into: StoreWriter | undefined;
}

/**
 * Encodes all chunks of a tower, without a graph, into one matrix [rows x dim]. The matrix has the element type
 * of the encoder's features: float32, or the bits of float16 or bfloat16. With `normalize: true` in the tower,
 * rows have length 1 and are float32. `data` may be a view of a larger buffer.
 *
 * With `into`, rows are appended to the writer of a store, chunk by chunk, and nothing of them stays in memory. The
 * caller commits. After a failure the writer has the rows of all chunks before. Errors are those of `append`, too.
 *
 * `chunks` is called once. The call takes its turn with steps on the same encoder. Afterwards, also after a
 * failure, the encoder's random state is the one from before the call: training goes on as if the call had
 * not been made.
 *
 * Rejects before anything is encoded with ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_NOT_IMPLEMENTED, ERR_ENCODER or
 * ERR_CHUNKS. Later with ERR_CHUNKS for no chunks, with the loss functions' codes for features, and with
 * `signal.reason`. Errors of the encoder, the iterator and `onProgress` reach the caller unchanged. Open
 * iterators are closed.
 */
export async function encodeFeatures<Input>(
  tower: Tower<Input>,
  options: EncodeFeaturesOptions & { into: StoreWriter },
): Promise<EncodedRows>;
export async function encodeFeatures<Input>(
  tower: Tower<Input>,
  options?: EncodeFeaturesOptions & { into?: undefined },
): Promise<PackedMatrix>;
export async function encodeFeatures<Input>(
  tower: Tower<Input>,
  options: EncodeFeaturesOptions & { into?: StoreWriter | undefined } = {},
): Promise<PackedMatrix | EncodedRows> {
  const call = checkCall<Input>(tower, options);
  throwIfAborted(call.signal);
  const { onProgress } = call;
  const progress = new ProgressReporter<StepProgress>(
    onProgress && (({ fraction, rows }) => onProgress({ fraction, rows })),
  );
  const features = await inTurn([call.tower.identity], call.signal, () => encode(call, progress));
  await progress.settled();
  return features;
}

function checkCall<Input>(tower: unknown, options: unknown): CheckedCall<Input> {
  const checked = readTower<Input, 'tower'>(
    'tower',
    'tower',
    tower,
    { normalize: false },
    readNames('tower', tower, towerOptionNames),
  );
  const { signal, onProgress, into } = readNames('options', options, ['signal', 'onProgress', 'into']);
  return {
    tower: checked,
    signal: signal === undefined ? undefined : check.abortSignal('options.signal', signal),
    onProgress: onProgress === undefined ? undefined : check.callback('options.onProgress', onProgress),
    into: into === undefined ? undefined : readStore('options.into', into),
  };
}

async function encode<Input>(
  { tower, signal, into }: CheckedCall<Input>,
  progress: ProgressReporter<StepProgress>,
): Promise<PackedMatrix | EncodedRows> {
  const { encoder, rows: expected, normalize } = tower;
  const cache = new RepresentationCache(tower.name, into === undefined ? expected : undefined, normalize);
  const sink: FeatureSink = into === undefined ? cache : new StoreSink(into, normalize);
  throwIfAborted(signal);
  const before = encoder.randomState?.();
  try {
    await encodeChunks(tower, sink, {
      chunksName: 'tower.chunks',
      keepStates: false,
      afterChunk: () => {
        const fraction = expected === undefined ? undefined : Math.min(1, sink.rows / expected);
        return betweenChunks({ signal, progress }, { phase: 'encode', fraction, rows: sink.rows });
      },
    });
  } finally {
    encoder.restoreRandomState?.(before);
  }
  return into === undefined ? cache.matrix() : { shape: [sink.rows, into.dim] };
}
