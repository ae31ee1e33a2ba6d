/**
 * Writes features to a safetensors file that appears whole or not at all. Rows go to a temporary file beside
 * the target; `commit` makes them durable, writes the header, and renames the file.
 *
 * Refuses to change a committed file, and two calls at a time.
 */

import type { Features } from '../matrix/features';
import type { DType } from '../matrix/host-matrix';
import { blocksOf } from './convert-rows';
import { IdList } from './id-list';
import { requireLittleEndian } from './little-endian';
import { type AppendOptions, type Part, readAppend } from './read-append';
import type { StoreFill } from './store-fill';
import { TemporaryFile } from './temporary-file';
import { bytesOfElement, dataOffset, extentsOf, makeHeader, type StoreShape } from './write-header';
import { readPath, readWriterOptions, type StoreWriterOptions, type WriterPlan } from './writer-options';
import { WriterState } from './writer-state';

/** Access to the private fields of StoreWriter, for this file and not for callers. */
interface Access {
  has(value: object): value is StoreWriter;
  make(file: TemporaryFile, plan: WriterPlan): StoreWriter;
  presize(writer: StoreWriter): Promise<void>;
  fill(name: string, writer: StoreWriter): StoreFill;
  checkOpen(writer: StoreWriter): void;
}

/** For the functions at the end of this file. The class sets it, once, when this file loads. */
let access: Access;

/** A store that is being written. Made by `FeatureStore.create`. */
export class StoreWriter implements Disposable, AsyncDisposable {
  readonly dtype: DType;
  readonly dim: number;
  /** Whether each row comes with an id. */
  readonly ids: boolean;
  readonly #file: TemporaryFile;
  readonly #plan: WriterPlan;
  readonly #state: WriterState;
  readonly #idList = new IdList();
  #rows = 0;
  #filled = false;

  static {
    access = {
      has: (value): value is StoreWriter => #plan in value,
      make: (file, plan) => new StoreWriter(file, plan),
      presize: (writer) => writer.#presize(),
      fill: (name, writer) => writer.#fill(name),
      checkOpen: (writer) => void writer.#state.checkIdle('append'),
    };
  }

  private constructor(file: TemporaryFile, plan: WriterPlan) {
    this.#file = file;
    this.#plan = plan;
    this.#state = new WriterState(file);
    this.dtype = plan.dtype;
    this.dim = plan.dim;
    this.ids = plan.ids;
  }

  /** Absolute path of the file that `commit` makes. */
  get path(): string {
    return this.#file.target;
  }

  /** [rows so far, dim]. */
  get shape(): readonly [rows: number, dim: number] {
    return [this.#rows, this.#plan.dim];
  }

  get committed(): boolean {
    return this.#state.committed;
  }

  get disposed(): boolean {
    return this.#state.disposed;
  }

  /**
   * Writes rows behind those that are there. The rows are copied as they are written, 1 MiB at a time, and must
   * not change until the promise settles. Await one append before the next.
   *
   * float32 is rounded once to a store of 16 bits, to the nearest, ties to even; 16 bits become float32 exactly.
   * float16 and bfloat16 never become each other.
   *
   * @param features [rows × dim], on the host, on a device, or another store, which is read by parts.
   * @param options.ids Int32Array [rows], with a store that was created with `ids: true`, and only there.
   *
   * After an error the store has the rows that it had before, and another append may follow: ERR_STORE for a full
   * disk or another failure of the system, for a call while another one runs, or after `commit`. ERR_DISPOSED.
   * ERR_NOT_FINITE for NaN, infinity, or a number beyond the dtype. ERR_TYPE, ERR_SHAPE, ERR_DTYPE, ERR_VALUE,
   * ERR_OPTION, ERR_BUFFER or ERR_DETACHED for features or ids that do not fit.
   */
  append(features: Features, options: AppendOptions = {}): Promise<void> {
    return this.#state.run('append', async () => {
      const { rows, parts, ids } = await readAppend(this.#plan, this.#rows, features, options);
      await this.#write(parts);
      // no error can follow but that of memory for the ids, which leaves the rows as they were
      if (ids !== null) this.#idList.append(ids);
      this.#rows += rows;
    });
  }

  /**
   * Makes the file: waits until all rows are on the disk, writes the header, and gives the file its name. A reader
   * sees the old file, none, or the whole new one, also after a crash or a power failure.
   *
   * Rejects with ERR_STORE, and the target is as it was: where no row was appended, or fewer than `rows`; where
   * the system fails; while another call runs; or after another commit. Rejects with ERR_DISPOSED.
   */
  commit(): Promise<void> {
    return this.#state.run('commit', async () => {
      const { rows: expected, ids, overwrite } = this.#plan;
      if (this.#rows === 0) this.#state.refuse('it has no rows; append some first');
      if (expected !== undefined && this.#rows !== expected) {
        this.#state.refuse(`it has ${this.#rows} of its ${expected} rows; append the others first`);
      }
      const shape = { dtype: this.dtype, rows: this.#rows, dim: this.#plan.dim, ids };
      await this.#finish(shape);
      this.#state.refuseDisposed();
      await this.#file.moveToTarget(overwrite);
      this.#state.markCommitted();
      await this.#file.syncFolder();
    });
  }

  /** Gives up: removes the temporary file, when a running call has ended. After `commit` nothing happens. */
  async abort(): Promise<void> {
    this.#state.dispose();
    await this.#state.ended();
  }

  /**
   * Gives up, at once: removes the temporary file. A running call rejects with ERR_DISPOSED. After `commit` nothing
   * happens. May be repeated. Throws ERR_STORE where the system refuses to remove the file.
   */
  dispose(): void {
    this.#state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  async #presize(): Promise<void> {
    const { rows, dim, dtype, ids } = this.#plan;
    const { end } = extentsOf({ dtype, rows: rows ?? 0, dim, ids });
    // written and not only claimed: a mapping of a file with holes ends the process where the disk is full
    const zeros = new Uint8Array(Math.min(end, zeroBytes));
    for (let at = 0; at < end; at += zeros.length) {
      await this.#file.write(zeros.subarray(0, Math.min(zeros.length, end - at)), at);
    }
  }

  async #write(parts: Iterable<Part>): Promise<void> {
    let at = dataOffset + this.#rows * this.#plan.dim * bytesOfElement(this.dtype);
    for (const { matrix, firstRow } of parts) {
      for (const block of blocksOf(matrix, this.dtype, firstRow)) {
        this.#state.refuseDisposed();
        await this.#file.write(block, at);
        at += block.length;
      }
    }
    this.#state.refuseDisposed();
  }

  /** All bytes of the file on the disk, the header last. */
  async #finish(shape: StoreShape): Promise<void> {
    const { featuresEnd, idsBegin, end } = extentsOf(shape);
    // an append that failed may have left bytes behind the rows
    await this.#file.truncate(end);
    await this.#file.write(new Uint8Array(idsBegin - featuresEnd), featuresEnd);
    await this.#file.write(this.#idList.bytes, idsBegin);
    await this.#sync();
    await this.#file.write(makeHeader(shape), 0);
    await this.#sync();
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      this.#state.markBroken();
      throw error;
    }
  }

  #fill(name: string): StoreFill {
    const { rows, dim, dtype, ids } = this.#plan;
    if (rows === undefined) this.#state.refuse(`create it with the option rows to use it as ${name}`);
    if (ids) this.#state.refuse(`${name} has no ids; create it without ids`);
    if (this.#rows > 0 && !this.#filled)
      this.#state.refuse(`rows were appended; ${name} needs a store of its own`);
    const end = this.#state.begin(`the call that writes ${name}`);
    const finish = (written: number) => {
      this.#rows = written;
      this.#filled = written > 0;
      void end();
    };
    const { fd, path } = this.#file;
    const place = { fd, path, offset: dataOffset, dtype, rows: rows!, dim };
    return { ...place, done: () => finish(rows!), failed: () => finish(0) };
  }
}

/** How many zeros one write takes. */
const zeroBytes = 2 ** 22;

/**
 * A writer for a new safetensors file at `path`.
 *
 * Rejects with ERR_STORE where a file is there and may not be replaced, where another writer of the same path is
 * at work or was killed, or where the system fails. Rejects with ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE or
 * ERR_OPTION for a wrong path or wrong options.
 */
export async function createStoreWriter(path: string, options: StoreWriterOptions): Promise<StoreWriter> {
  const target = readPath(path);
  const plan = readWriterOptions(options);
  requireLittleEndian();
  const writer = access.make(await TemporaryFile.create(target, plan.overwrite), plan);
  try {
    await access.presize(writer);
    return writer;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** By brand and not by class. Never throws. */
export function isStoreWriter(value: unknown): value is StoreWriter {
  return typeof value === 'object' && value !== null && access.has(value);
}

/**
 * The file of a writer for a native call that writes all rows. Until `done` or `failed`, every other call of the
 * writer is refused.
 *
 * Throws ERR_STORE for a writer without `rows`, with ids, with appended rows, or in another call; ERR_DISPOSED.
 */
export function beginFill(name: string, writer: StoreWriter): StoreFill {
  return access.fill(name, writer);
}

/** Throws ERR_STORE or ERR_DISPOSED where `append` would be refused whatever it is given. */
export function checkOpen(writer: StoreWriter): void {
  access.checkOpen(writer);
}
