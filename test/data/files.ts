/** Files of data sets in a temporary folder, and errors that a test expects. Removed after the tests of a file. */

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TextBatch, TextBatches } from '../../lib/data';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-data-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** A new file of this ending. */
export function makeFile(ending: string, content: string | Uint8Array): string {
  const path = join(folder, `${count++}.${ending}`);
  writeFileSync(path, content);
  return path;
}

/** A path in the folder, with nothing there. */
export function freePath(name: string): string {
  return join(folder, `${count++}-${name}`);
}

/** The file of these rows as JSON Lines. */
export function makeJsonl(rows: readonly unknown[]): string {
  return makeFile('jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** The error of a promise. */
export async function rejection(promise: Promise<unknown>): Promise<never> {
  return promise.then(
    () => {
      throw new Error('Expected a rejection');
    },
    (error) => error as never,
  );
}

/** The batches that the present epoch has left. */
export async function epochOf(batches: TextBatches): Promise<TextBatch[]> {
  const all: TextBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** All row numbers of some batches, in order. */
export function rowsOf(batches: readonly TextBatch[]): number[] {
  return batches.flatMap(({ rows }) => [...rows]);
}

export const range = (length: number) => Array.from({ length }, (_, i) => i);
