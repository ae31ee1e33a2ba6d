/**
 * Opens a file of a data set, and notices whether it is still the file that was indexed: size, time of the last
 * change, device and inode.
 *
 * Refuses to keep a file open between two reads, so that no data set has to be closed.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codedError } from '../errors';
import { dataError } from './data-error';

export interface FileIdentity {
  size: bigint;
  mtimeNs: bigint;
  dev: bigint;
  ino: bigint;
}

/** Windows has no such flag, and no pipes among its files. */
const withoutWaiting = constants.O_NONBLOCK ?? 0;

/**
 * Calls `work` with the open file, and closes the file. Throws ERR_DATA if the path is no regular file, or, with
 * `expected`, if the file has changed, before or during the work. Errors of the file system arrive as they are.
 */
export async function withFile<T>(
  path: string,
  expected: FileIdentity | undefined,
  work: (file: FileHandle, identity: FileIdentity) => Promise<T>,
): Promise<T> {
  // a pipe would wait for its writer here
  const file = await open(path, constants.O_RDONLY | withoutWaiting);
  try {
    const identity = await identify(file, path);
    if (expected) requireSame(path, expected, identity);
    const result = await work(file, identity);
    requireSame(path, expected ?? identity, await identify(file, path));
    return result;
  } finally {
    await file.close();
  }
}

async function identify(file: FileHandle, path: string): Promise<FileIdentity> {
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile()) {
    throw codedError('ERR_DATA', `Expected a regular file but ${path} is a folder, a pipe or a device`);
  }
  const { size, mtimeNs, dev, ino } = stats;
  return { size, mtimeNs, dev, ino };
}

function requireSame(path: string, expected: FileIdentity, received: FileIdentity): void {
  const names = ['size', 'mtimeNs', 'dev', 'ino'] as const;
  if (names.every((name) => expected[name] === received[name])) return;
  throw dataError(
    path,
    'the file has changed since openDataset read it, so the places of its rows are unknown: open the data set again',
  );
}

/** Fills the buffer from `position` on. Throws ERR_DATA where the file ends before. */
export async function readFully(
  file: FileHandle,
  path: string,
  buffer: Buffer,
  position: number,
): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) throw dataError(path, 'the file became shorter while it was read');
    done += bytesRead;
  }
}
