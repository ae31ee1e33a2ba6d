/**
 * A file of features as the readers of headers see it: its length, its bytes, and a way to refuse it with a
 * message that names the path.
 *
 * Refuses anything but regular files: a pipe has no length, and a device has no end.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codedError, type InfclError } from '../errors';
import type { FileIdentity } from './store-header';

/** Throws ERR_STORE. `problem` says what is wrong with the file and what to do. */
export type Refuse = (problem: string, cause?: unknown) => never;

export interface StoreFile {
  /** Length in bytes. */
  bytes: number;
  /** Exactly `count` bytes. Rejects with ERR_STORE where the file ends before. */
  read(begin: number, count: number): Promise<Uint8Array>;
  refuse: Refuse;
}

const quoteLimit = 200;

/**
 * Text of a file or a caller in quotes, for messages. Characters that a terminal would obey are written as
 * their numbers.
 */
export function quoted(text: string): string {
  const start = text.length > quoteLimit ? `${text.slice(0, quoteLimit)}…` : text;
  const safe = start.replace(/\p{C}/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
  return `'${safe}'`;
}

/** The error for a file that cannot be read. */
export function readError(path: string, problem: string, cause?: unknown): InfclError {
  return codedError('ERR_STORE', `Cannot read features from ${quoted(path)}: ${problem}`, cause);
}

const remedies: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is a file and no folder',
  EACCES: 'this process may not read the file',
  EPERM: 'this process may not read the file',
  EISDIR: 'this is a folder; give the path of a file in it',
  EMFILE: 'this process has too many files open; dispose of stores after use, or raise ulimit -n',
  ENFILE: 'the system has too many files open',
  ELOOP: 'the symbolic links of the path form a circle',
  ENAMETOOLONG: 'the path is too long',
};

/** What an error of the file system means, in words where the code is known. */
export function problemOf(error: unknown, words: Record<string, string> = remedies): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(words, code) ? `${words[code]} (${code})` : '';
  return known || quoted(String(message));
}

/**
 * Opens a file for reading. The caller closes the handle. Never waits for a writer of a named pipe.
 * Rejects with ERR_STORE where the file is not there or may not be read.
 */
export async function openStoreFile(path: string): Promise<FileHandle> {
  try {
    // Windows has no O_NONBLOCK
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw readError(path, problemOf(error), error);
  }
}

/** The identity of an open file. Rejects with ERR_STORE for anything but a regular file. */
export async function identify(handle: FileHandle, refuse: Refuse): Promise<FileIdentity> {
  const status = await handle.stat({ bigint: true }).catch((error) => refuse(problemOf(error), error));
  if (!status.isFile()) {
    refuse(status.isDirectory() ? remedies.EISDIR! : 'this is no regular file but a pipe or a device');
  }
  const { dev, ino, size, mtimeNs } = status;
  return { dev, ino, size, mtimeNs };
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/** The file behind a handle. The handle stays open, and its position does not move. */
export function storeFileOf(handle: FileHandle, bytes: number, refuse: Refuse): StoreFile {
  const read = async (begin: number, count: number) => {
    const into = new Uint8Array(count);
    for (let done = 0; done < count; ) {
      const { bytesRead } = await handle
        .read(into, done, count - done, begin + done)
        .catch((error) => refuse(problemOf(error), error));
      if (bytesRead === 0)
        refuse('the file became shorter while it was read; open it when no program writes it');
      done += bytesRead;
    }
    return into;
  };
  return { bytes, read, refuse };
}
