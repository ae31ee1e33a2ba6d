/**
 * Looks up single figures of the committed results, and writes numbers as pages do. The claims about the documentation
 * and its charts are made of these figures.
 */

import type { Target } from './report.js';
import { type CommittedResult, findRow, numberOf, rowsOf } from './results.js';

/** The results that pages cite. */
export const files = {
  zen4: 'amd-epyc-2.json',
  quiet: 'amd-epyc-2-quiet.json',
  torchAgain: 'amd-epyc-2-torch.json',
  triangles: 'amd-epyc-2-triangles.json',
  zen5: 'amd-epyc-zen5-2.json',
  peers: 'amd-epyc-zen4-2-node-peers.json',
  search: 'amd-epyc-zen4-2-search.json',
} as const;

type Where = Record<string, number | string>;

export const fixed = (value: number, digits: number) => value.toFixed(digits);
export const whole = (value: number) => value.toFixed(0);
export const percent = (share: number) => (100 * share).toFixed(0);

/** Looks figures up; each function throws where the results have no such figure. */
export class Figures {
  constructor(readonly results: readonly CommittedResult[]) {}

  of(file: string, name: string, label: string, column: string, where?: Where): number {
    return numberOf(findRow(this.results, { file, name, label, where }), column);
  }

  limit(name: string, label: string, what: string, where?: Where): number {
    const { targets } = findRow(this.results, { file: files.zen5, name, label, where });
    const target = targets?.find((one: Target) => one.what === what);
    if (!target) throw new Error(`${files.zen5}, case ${name}, row "${label}" has no target "${what}"`);
    return target.limit;
  }

  /** Least and most of a column, over the rows that a condition picks. */
  range(file: string, name: string, column: string, picks: (label: string, gflop: number) => boolean) {
    const values = rowsOf(this.results, file, name)
      .filter((row) => picks(row.label, numberOf(row, 'GFLOP')))
      .map((row) => numberOf(row, column));
    if (values.length === 0) throw new Error(`${file}, case ${name}: no row is picked`);
    return { least: Math.min(...values), most: Math.max(...values) };
  }
}
