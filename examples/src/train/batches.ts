/**
 * Which pairs each step sees. A pure function of (seed, step), so that a resumed run sees what the first would have
 * seen. Refuses to keep state.
 */

import { rowLength, type SparseMatrix } from '../features/hashing.js';
import { EpochOrder } from './epoch-order.js';

export class Batches {
  private readonly order: EpochOrder;

  /**
   * @param rows Training rows; each epoch shuffles them and drops what does not fill a batch.
   * @param weigh A matrix by whose row lengths each batch is ordered: chunks of rows of similar length need less
   *   padding, and the loss does not depend on the order of pairs within a batch.
   */
  constructor(
    private readonly rows: Int32Array,
    batch: number,
    seed: number,
    private readonly weigh: SparseMatrix,
  ) {
    this.order = new EpochOrder(rows.length, batch, seed, 'pairs');
  }

  get perEpoch(): number {
    return this.order.steps;
  }

  /** Row numbers of the batch of this step, counted from 0. */
  at(step: number): Int32Array {
    return this.order
      .at(step)
      .map((i) => this.rows[i]!)
      .sort((a, b) => rowLength(this.weigh, a) - rowLength(this.weigh, b) || a - b);
  }
}
