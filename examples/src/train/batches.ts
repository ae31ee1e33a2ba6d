/**
 * Which pairs each step sees. A pure function of (seed, step), so that a resumed run sees what the first would have
 * seen. Refuses to keep state.
 */

import { rowLength, type SparseMatrix } from '../features/hashing.js';
import { Random } from '../random.js';

export class Batches {
  readonly perEpoch: number;
  private order: Int32Array = new Int32Array(0);
  private epochOfOrder = -1;

  /**
   * @param rows Training rows; each epoch shuffles them and drops what does not fill a batch.
   * @param weigh A matrix by whose row lengths each batch is ordered: chunks of rows of similar length need less
   *   padding, and the loss does not depend on the order of pairs within a batch.
   */
  constructor(
    private readonly rows: Int32Array,
    private readonly batch: number,
    private readonly seed: number,
    private readonly weigh: SparseMatrix,
  ) {
    this.perEpoch = Math.floor(rows.length / batch);
    if (this.perEpoch === 0) {
      throw new RangeError(`Expected a batch of at most ${rows.length} training pairs but received ${batch}`);
    }
  }

  /** Row numbers of the batch of this step, counted from 0. */
  at(step: number): Int32Array {
    const epoch = Math.floor(step / this.perEpoch);
    if (epoch !== this.epochOfOrder) {
      const { rows } = this;
      this.order = Random.stream(this.seed, 1000 + epoch)
        .permutation(rows.length)
        .map((i) => rows[i]!);
      this.epochOfOrder = epoch;
    }
    const first = (step % this.perEpoch) * this.batch;
    return this.order
      .slice(first, first + this.batch)
      .sort((a, b) => rowLength(this.weigh, a) - rowLength(this.weigh, b) || a - b);
  }
}
