/**
 * Draws the batches of one data set in one epoch. The order of rows follows from seed and epoch alone. A draw that fails or
 * is aborted changes nothing, so the next draw gives the same batch.
 *
 * Refuses to know other data sets.
 */

import { BatchDraft } from './batch-draft';
import type { FileDataset } from './dataset';
import { permutation, Random } from './random';
import { type TextBatch, toBatch } from './text-batch';
import { type SavedQueue, type WaitingRow, WaitingRows } from './waiting-rows';

export interface SamplerSettings {
  batchSize: number;
  seed: number;
  shuffle: boolean;
  dropLast: boolean;
  noDuplicates: boolean;
}

/** Where a data set stands within an epoch. */
export interface SamplerState {
  /** How many rows of the order were looked at. */
  next: number;
  /** Whether the epoch gives no further batch of this data set. */
  usedUp: boolean;
  waiting: SavedQueue[];
}

export class RowSampler {
  private readonly order: Int32Array;
  private next: number;
  private usedUp: boolean;
  private readonly waiting: WaitingRows;

  /** @param stream Tells the data sets of a mix from each other. */
  constructor(
    private readonly dataset: FileDataset,
    private readonly settings: SamplerSettings,
    { epoch, stream }: { epoch: number; stream: number },
    state: SamplerState = { next: 0, usedUp: false, waiting: [] },
  ) {
    this.order = settings.shuffle
      ? permutation(dataset.rows, new Random(settings.seed, stream, epoch))
      : Int32Array.from({ length: dataset.rows }, (_, row) => row);
    this.next = state.next;
    this.usedUp = state.usedUp;
    this.waiting = new WaitingRows(state.waiting);
  }

  /** Rows that no batch of this epoch has had. 0 once the data set is used up. */
  get remaining(): number {
    return this.usedUp ? 0 : this.order.length - this.next + this.waiting.size;
  }

  state(): SamplerState {
    return { next: this.next, usedUp: this.usedUp, waiting: this.waiting.save() };
  }

  /** The next batch; undefined once the data set is used up. */
  async draw(signal: AbortSignal | undefined): Promise<TextBatch | undefined> {
    const wanted = this.settings.dropLast ? this.settings.batchSize : 1;
    if (this.remaining >= wanted) {
      const batch = await (this.settings.noDuplicates ? this.drawDifferent(signal) : this.drawPlain(signal));
      if (batch.rows.length >= wanted) return batch;
    }
    this.usedUp = true;
    return undefined;
  }

  private async drawPlain(signal: AbortSignal | undefined): Promise<TextBatch> {
    const rows = this.order.slice(this.next, this.next + this.settings.batchSize);
    const parsed = await this.dataset.parse(rows, signal);
    this.next += rows.length;
    return toBatch(this.dataset, rows, parsed);
  }

  /** Rows that wait come first, each queue once. Then rows that nobody has looked at, until the batch is full. */
  private async drawDifferent(signal: AbortSignal | undefined): Promise<TextBatch> {
    const { batchSize } = this.settings;
    const draft = new BatchDraft();
    const offer = async (rows: Int32Array) => {
      const parsed = await this.dataset.parse(rows, signal);
      rows.forEach((row, i) => {
        draft.offer(row, parsed[i]!);
      });
    };
    const taken: WaitingRow[] = [];
    const heads = this.waiting.heads();
    for (;;) {
      const group = takeHeads(heads, draft, batchSize - draft.size);
      if (group.length === 0) break;
      await offer(Int32Array.from(group, ({ row }) => row));
      taken.push(...group);
    }
    let next = this.next;
    while (draft.size < batchSize && next < this.order.length) {
      const rows = this.order.subarray(next, next + batchSize - draft.size);
      await offer(rows);
      next += rows.length;
    }
    this.next = next;
    this.waiting.commit(taken, draft.added);
    return toBatch(this.dataset, Int32Array.from(draft.rows), draft.parsed);
  }
}

/** The first rows of at most `most` queues whose text is not yet in the batch. */
function takeHeads(heads: Iterator<WaitingRow>, draft: BatchDraft, most: number): WaitingRow[] {
  const group: WaitingRow[] = [];
  while (group.length < most) {
    const { done, value } = heads.next();
    if (done) break;
    if (!draft.has(value.hash)) group.push(value);
  }
  return group;
}
