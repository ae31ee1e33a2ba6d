/**
 * Files that a later run goes on from: a fixed prefix, the SHA-256 of all that follows, then the content. Refuses
 * content that is not, byte for byte, what was written. Knows nothing of what the content means.
 */

import { createHash } from 'node:crypto';
import { CheckpointError } from '../errors.js';
import { writeAtomically } from './atomic-file.js';
import { readRegularFile } from './regular-file.js';

export interface SealedFile {
  path: string;
  /** What is in it, for messages: "a checkpoint of this demo". */
  what: string;
  /** The first bytes, ASCII. Files of older versions begin otherwise. */
  prefix: string;
  /** What a person does about a file that cannot be used, as the end of a sentence. */
  remedy: string;
}

const hashLength = 64;

export function writeSealed({ path, prefix }: SealedFile, parts: readonly Uint8Array[]): void {
  writeAtomically(path, [prefix, hashOf(parts), ...parts]);
}

/** The content. Throws {@link CheckpointError}, or UsageError for a file that cannot be read. */
export function readSealed(file: SealedFile): Buffer {
  const { path, what, prefix } = file;
  const bytes = readRegularFile(path, what);
  if (bytes.toString('latin1', 0, prefix.length) !== prefix) {
    throw unusable(
      file,
      `Expected ${what}, with a checksum, in ${path} but received another kind of file, or one of an older version`,
    );
  }
  const content = bytes.subarray(prefix.length + hashLength);
  if (bytes.toString('latin1', prefix.length, prefix.length + hashLength) !== hashOf([content])) {
    throw unusable(
      file,
      `Expected ${what} in ${path} but it was cut short or changed: it does not match its checksum`,
    );
  }
  return content;
}

/** The problem, and after it what to do: `first`, where there is something to try before the remedy. */
export function unusable({ remedy }: SealedFile, problem: string, first?: string): CheckpointError {
  return new CheckpointError(`${problem}: ${first === undefined ? remedy : `${first}, or ${remedy}`}`);
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
