/**
 * The file that a writer fills, beside the file that it will become. Its name is that of the target with
 * '.tmp' behind it, so that a second writer of the same target sees the first one and is refused.
 *
 * Refuses to open a file that exists, and to touch the target before all bytes are on the disk.
 */

import { unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codedError, type InfclError } from '../errors';
import { problemOf, quoted } from './store-file';
import { syncFolder } from './sync-folder';

const remedies: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space and repeat the call, or dispose of the writer',
  EDQUOT: 'the quota of this user is used up; free some space and repeat the call, or dispose of the writer',
  EFBIG: 'the file would be longer than the file system or ulimit -f allows; write several files',
  EROFS: 'the file system is read-only',
  EACCES: 'this process may not write there, or another program has the file open',
  EPERM: 'this process may not write there, or another program has the file open',
  EBUSY: 'another program has the file open',
  ENOENT: 'there is no such folder, or the temporary file was removed',
  ENOTDIR: 'a part of the path is a file and no folder',
  EISDIR: 'this is a folder; give the path of a file in it',
  ENOTEMPTY: 'this is a folder; give the path of a file in it',
  ENAMETOOLONG: 'the path is too long',
  EMFILE: 'this process has too many files open; dispose of stores after use, or raise ulimit -n',
};

export class TemporaryFile {
  /** Path of the target, absolute: a later chdir does not move it. */
  readonly target: string;
  readonly path: string;
  readonly #handle: FileHandle;
  #removed = false;

  private constructor(target: string, path: string, handle: FileHandle) {
    this.target = target;
    this.path = path;
    this.#handle = handle;
  }

  /** Rejects with ERR_STORE where the target exists and may not be replaced, or where another writer is at work. */
  static async create(path: string, overwrite: boolean): Promise<TemporaryFile> {
    const target = resolve(path);
    await refuseExisting(target, overwrite);
    const temporary = `${target}.tmp`;
    const handle = await open(temporary, 'wx+').catch((error) => {
      throw writeError(
        target,
        error.code === 'EEXIST' ? leftBehind(temporary) : problemOf(error, remedies),
        error,
      );
    });
    return new TemporaryFile(target, temporary, handle);
  }

  /** For native code. Valid until `close`. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Writes all bytes. Rejects with ERR_STORE; the call may be repeated. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#system(
        this.#handle.write(bytes, done, bytes.length - done, position + done),
      );
      if (bytesWritten === 0) throw writeError(this.target, 'the system wrote nothing');
      done += bytesWritten;
    }
  }

  /** Cuts the file, or makes it longer by zeros. Rejects with ERR_STORE. */
  async truncate(length: number): Promise<void> {
    await this.#system(this.#handle.truncate(length));
  }

  /** Waits until all that was written is on the disk. After an error nobody knows what is there. */
  async sync(): Promise<void> {
    await this.#system(this.#handle.sync());
  }

  /** Becomes the target, at once for all readers. Rejects with ERR_STORE, and then the target is as it was. */
  async moveToTarget(overwrite: boolean): Promise<void> {
    await refuseExisting(this.target, overwrite);
    await this.#system(rename(this.path, this.target));
    this.#removed = true;
  }

  /** Makes the new name durable. Rejects with ERR_STORE. */
  async syncFolder(): Promise<void> {
    await syncFolder(dirname(this.target)).catch((error) => {
      const what = 'the file is there and whole, but a power failure may take its name away';
      throw writeError(this.target, `${what}: ${problemOf(error, remedies)}`, error);
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Removes the temporary file, once. Throws ERR_STORE where the system refuses to. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return;
      throw writeError(
        this.target,
        `cannot remove ${quoted(this.path)}: ${problemOf(error, remedies)}`,
        error,
      );
    }
  }

  #system<T>(work: Promise<T>): Promise<T> {
    return work.catch((error) => {
      throw writeError(this.target, problemOf(error, remedies), error);
    });
  }
}

/** The error for a file that cannot be written. */
export function writeError(path: string, problem: string, cause?: unknown): InfclError {
  return codedError('ERR_STORE', `Cannot write features to ${quoted(path)}: ${problem}`, cause);
}

const leftBehind = (temporary: string) =>
  `another writer is at work, or one was killed and left ${quoted(temporary)}; where no process writes it, delete that file`;

/** Rejects with ERR_STORE where something is at the path that may not be replaced. */
async function refuseExisting(target: string, overwrite: boolean): Promise<void> {
  const status = await lstat(target).catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw writeError(target, problemOf(error, remedies), error);
  });
  if (status === null) return;
  if (status.isDirectory()) throw writeError(target, remedies.EISDIR!);
  if (!overwrite) {
    throw writeError(
      target,
      'the file exists; choose another path, or overwrite: true to replace it on commit',
    );
  }
}
