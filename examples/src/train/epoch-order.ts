/**
 * The order of the training rows in each epoch. A pure function of (seed, epoch), so that a resumed run sees what the
 * first would have seen. Keeps the order of one epoch, so that a step costs no shuffle.
 */

import { Random } from '../random.js';

export class EpochOrder {
  /** Steps in an epoch. Rows that do not fill a batch are dropped. */
  readonly steps: number;
  private order: Int32Array = new Int32Array(0);
  private epoch = -1;

  /** @param unit What a row is, for the error. Throws RangeError if the rows do not fill one batch. */
  constructor(
    private readonly rows: number,
    private readonly batch: number,
    private readonly seed: number,
    unit: string,
  ) {
    this.steps = Math.floor(rows / batch);
    if (this.steps === 0) {
      throw new RangeError(`Expected a batch of at most ${rows} training ${unit} but received ${batch}`);
    }
  }

  /** Numbers from 0 to rows - 1 of the batch of this step, counted from 0. A view, valid until the next call. */
  at(step: number): Int32Array {
    const epoch = Math.floor(step / this.steps);
    if (epoch !== this.epoch) {
      this.order = Random.stream(this.seed, 1000 + epoch).permutation(this.rows);
      this.epoch = epoch;
    }
    const first = (step % this.steps) * this.batch;
    return this.order.subarray(first, first + this.batch);
  }
}
