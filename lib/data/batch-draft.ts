/**
 * A batch without duplicates while it is filled: no text occurs in two of its rows, whatever the columns are. Within one row
 * a text may occur twice.
 *
 * Refuses to know where rows come from.
 */

import type { ParsedRow } from './parse-rows';
import { hashText } from './text-hash';
import type { WaitingRow } from './waiting-rows';

export class BatchDraft {
  readonly rows: number[] = [];
  readonly parsed: ParsedRow[] = [];
  /** Rows that have to wait after this batch. */
  readonly added: WaitingRow[] = [];
  private readonly hashes = new Set<number>();

  get size(): number {
    return this.rows.length;
  }

  has(hash: number): boolean {
    return this.hashes.has(hash);
  }

  /** Takes the row in, or lets it wait for the first of its texts that is here already. */
  offer(row: number, parsed: ParsedRow): void {
    const hashes = parsed.texts.map(hashText);
    const hash = hashes.find((one) => this.hashes.has(one));
    if (hash !== undefined) {
      this.added.push({ hash, row });
      return;
    }
    for (const one of hashes) this.hashes.add(one);
    this.rows.push(row);
    this.parsed.push(parsed);
  }
}
