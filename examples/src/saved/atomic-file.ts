/**
 * Writes a file whole or not at all: beside its place, then renamed, so that a crash or a full disk leaves the old file.
 * Refuses to leave the unfinished file behind when it fails.
 */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutputError } from '../errors.js';
import { systemReason } from './regular-file.js';

/** Throws {@link OutputError} with the path and the system's reason. */
export function writeAtomically(path: string, parts: readonly (string | Uint8Array)[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeParts(temporary, parts);
    renameSync(temporary, path);
  } catch (error) {
    removeIfPossible(temporary);
    throw new OutputError(`Cannot write ${path}: ${systemReason(error)}`);
  }
}

function writeParts(path: string, parts: readonly (string | Uint8Array)[]): void {
  const file = openSync(path, 'w');
  try {
    for (const part of parts) writeFileSync(file, part);
    // some file systems notice only now that they are full
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The first error is the one to report: a folder that has become read-only forbids this as well. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Writes and removes a file of so many bytes. Throws {@link OutputError} where the folder has no room or is read-only. */
export function tryWriting(folder: string, bytes: number): void {
  const path = join(folder, `trial.${process.pid}.tmp`);
  try {
    writeParts(path, [new Uint8Array(bytes)]);
  } catch (error) {
    throw new OutputError(`Cannot write into the folder ${folder}: ${systemReason(error)}`);
  } finally {
    removeIfPossible(path);
  }
}
