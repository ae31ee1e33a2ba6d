/**
 * Rows that wait for a later batch, because a text of theirs was in the batch already. Each row waits in the queue of
 * that text. Rows of one queue share a text, so at most one of them can enter a batch: only the first one is tried.
 *
 * Refuses to keep texts: a queue has the hash of its text, and numbers of rows. Refuses to change during a batch.
 */

interface Queue {
  rows: number[];
  /** The place of the first row that still waits. */
  head: number;
}

/** A row that waits, and the hash of the text for which it waits. */
export interface WaitingRow {
  hash: number;
  row: number;
}

/** A queue as a saved position has it: the hash of the text, then the rows in order. */
export type SavedQueue = number[];

export class WaitingRows {
  /** The queue whose turn is next comes first. */
  private readonly queues = new Map<number, Queue>();
  private count = 0;

  constructor(saved: readonly SavedQueue[] = []) {
    for (const [hash, ...rows] of saved) {
      this.queues.set(hash!, { rows, head: 0 });
      this.count += rows.length;
    }
  }

  get size(): number {
    return this.count;
  }

  /** The first row of each queue, in the order of their turns. */
  *heads(): Generator<WaitingRow, void, undefined> {
    for (const [hash, { rows, head }] of this.queues) yield { hash, row: rows[head]! };
  }

  /** At the end of a batch: the first row leaves each queue of `taken`, then the rows of `added` come in. */
  commit(taken: readonly WaitingRow[], added: readonly WaitingRow[]): void {
    for (const { hash } of taken) this.removeFirst(hash);
    for (const { hash, row } of added) {
      const queue = this.queues.get(hash);
      if (queue) queue.rows.push(row);
      else this.queues.set(hash, { rows: [row], head: 0 });
    }
    this.count += added.length - taken.length;
  }

  /** The queue then waits until the others had their turns. */
  private removeFirst(hash: number): void {
    const queue = this.queues.get(hash)!;
    this.queues.delete(hash);
    queue.head++;
    if (queue.head === queue.rows.length) return;
    // rows that left are dropped now and then, which costs as much as they were
    if (2 * queue.head > queue.rows.length) {
      queue.rows = queue.rows.slice(queue.head);
      queue.head = 0;
    }
    this.queues.set(hash, queue);
  }

  save(): SavedQueue[] {
    return Array.from(this.queues, ([hash, { rows, head }]) => [hash, ...rows.slice(head)]);
  }
}
