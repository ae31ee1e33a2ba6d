/**
 * A file that is larger than the memory that it is given: the heap of V8 is bounded to half of the file, and the kernel
 * measures what the process takes.
 */

import { execFile } from 'node:child_process';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePath } from './files';
import type { MemoryAnswer, MemoryRequest } from './measure-memory';

const mebibyte = 2 ** 20;
const registerTypescript = join(__dirname, '..', 'child', 'register-typescript.cjs');

/** Rows of about 430 bytes, with new texts in each one. */
function writeRows(path: string, bytes: number): number {
  const file = openSync(path, 'w');
  const filler = 'words of a sentence that is neither short nor long, '.repeat(4);
  let rows = 0;
  for (let written = 0; written < bytes; ) {
    const lines: string[] = [];
    for (let i = 0; i < 2000; i++, rows++)
      lines.push(`["query ${rows} ${filler}","key ${rows} ${filler}"]\n`);
    written += writeSync(file, lines.join(''));
  }
  closeSync(file);
  return rows;
}

const linux = process.platform === 'linux';
if (!linux) console.warn('peak memory is measured through /proc: SKIPPED on this platform');

(linux ? it : it.skip)('a file of 100 MB takes 12 bytes a row and some tens of megabytes', async () => {
  const path = freePath('large.jsonl');
  const rows = writeRows(path, 100e6);
  const request: MemoryRequest = { path, batchSize: 512, batches: 20 };
  const args = ['--max-old-space-size=48', '-r', registerTypescript, join(__dirname, 'measure-memory.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, JSON.stringify(request)]);
  const answer = JSON.parse(stdout) as MemoryAnswer;
  expect(answer.rows).toBe(rows);
  expect(answer.texts).toBe(2 * 512 * 20);
  expect(answer.growthBytes).toBeLessThan(12 * rows + 64 * mebibyte);
  expect(answer.growthBytes).toBeLessThan(0.75 * statSync(path).size);
});
