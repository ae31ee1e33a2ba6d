/**
 * Batches of texts from one data set or several, epoch after epoch, which can go on from a saved position.
 *
 * Refuses to prefetch: a batch is read when it is asked for.
 */

import { codedError } from '../errors';
import { throwIfAborted } from '../on-abort';
import {
  type BatchOptions,
  type CheckedBatchOptions,
  checkBatchOptions,
  type WeightedDataset,
} from './batch-options';
import type { TextDataset } from './dataset';
import { chooseByRows, RoundRobin } from './mix';
import { type BatchPosition, makePosition, type Place, readPosition } from './position';
import { RowSampler } from './row-sampler';
import type { TextBatch } from './text-batch';

/** {@link textBatches} makes it. */
export interface TextBatches {
  /** The present epoch, from 0. It grows when a loop has had the last batch of an epoch. */
  readonly epoch: number;
  /**
   * Where the next batch comes from, as plain data for a checkpoint. Throws ERR_VALUE while a batch is being read.
   */
  position(): BatchPosition;
  /**
   * The batches that the present epoch has left. A loop that is left early keeps its place: the next loop goes on
   * there. Rejects with ERR_DATA if a file has changed, with errors of the file system, and with `signal.reason`; the
   * batch is not lost then.
   */
  [Symbol.asyncIterator](): AsyncGenerator<TextBatch, void, undefined>;
}

/** The samplers of one epoch, made when the epoch's first batch is drawn. */
interface Epoch {
  samplers: RowSampler[];
  turns: RoundRobin;
}

class FileBatches implements TextBatches {
  readonly #options: CheckedBatchOptions;
  /** States are those of the begin, or of the saved position, until the epoch is open. */
  #place: Place;
  #open: Epoch | undefined;
  /** Draws that wait or run. */
  #drawing = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: CheckedBatchOptions) {
    const { datasets, settings, position } = options;
    this.#options = options;
    this.#place =
      position === undefined
        ? { epoch: 0, draws: 0, states: fresh(datasets.length) }
        : readPosition(position, settings, datasets);
  }

  get epoch(): number {
    return this.#place.epoch;
  }

  position(): BatchPosition {
    if (this.#drawing > 0) {
      throw codedError(
        'ERR_VALUE',
        'Expected position() between two batches but a batch is being read: await it first',
      );
    }
    const { datasets, settings } = this.#options;
    const states = this.#open?.samplers.map((sampler) => sampler.state()) ?? this.#place.states;
    return makePosition({ ...this.#place, states }, settings, datasets);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TextBatch, void, undefined> {
    const { epoch } = this;
    for (;;) {
      const batch = await this.#inTurn(() => this.#draw(epoch));
      if (batch === undefined) return;
      yield batch;
    }
  }

  /** Draws of several loops come one after the other, since each one begins where the last one ended. */
  async #inTurn<T>(draw: () => Promise<T>): Promise<T> {
    this.#drawing++;
    const result = this.#turn.then(draw);
    this.#turn = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#drawing--;
    }
  }

  /** The next batch of this epoch; undefined if there is none, or if another loop has ended the epoch. */
  async #draw(epoch: number): Promise<TextBatch | undefined> {
    const { signal, settings } = this.#options;
    throwIfAborted(signal);
    if (epoch !== this.epoch) return undefined;
    this.#open ??= this.#openEpoch();
    const { samplers, turns } = this.#open;
    for (;;) {
      const chosen = this.#choose(this.#open);
      const batch = chosen < 0 ? undefined : await samplers[chosen]!.draw(signal);
      if (batch === undefined && (chosen < 0 || settings.mix === 'roundRobin')) break;
      this.#place.draws++;
      turns.take();
      if (batch !== undefined) return batch;
    }
    this.#open = undefined;
    this.#place = { epoch: epoch + 1, draws: 0, states: fresh(samplers.length) };
    return undefined;
  }

  #openEpoch(): Epoch {
    const { datasets, settings } = this.#options;
    const { epoch, draws, states } = this.#place;
    const samplers = datasets.map(
      (dataset, stream) => new RowSampler(dataset, settings, { epoch, stream }, states[stream]),
    );
    return { samplers, turns: new RoundRobin(settings.weights, draws) };
  }

  #choose({ samplers, turns }: Epoch): number {
    const { mix, seed } = this.#options.settings;
    if (mix === 'roundRobin') return turns.peek();
    const remaining = samplers.map((sampler) => sampler.remaining);
    return chooseByRows(remaining, { seed, epoch: this.#place.epoch, draws: this.#place.draws });
  }
}

const fresh = (count: number) =>
  Array.from({ length: count }, () => ({ next: 0, usedUp: false, waiting: [] }));

/**
 * Batches of texts, which `chunkedStep` takes through {@link batchTowers}. Each epoch has another order of rows, which
 * follows from seed and epoch. A batch has rows of one data set.
 *
 * Throws ERR_TYPE, ERR_VALUE or ERR_OPTION for wrong arguments, and for a position of other data or options.
 *
 * Batches without duplicates: sentence-transformers' NoDuplicatesBatchSampler. Mixes: its ProportionalBatchSampler and
 * RoundRobinBatchSampler, the latter with weights.
 */
export function textBatches(
  datasets: TextDataset | readonly (TextDataset | WeightedDataset)[],
  options: BatchOptions,
): TextBatches {
  return new FileBatches(checkBatchOptions(datasets, options));
}
