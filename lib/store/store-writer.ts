/**
 * Writes features to a safetensors file that appears whole or not at all. Rows go to a temporary file beside
 * the target; `commit` makes them durable, writes the header, and renames the file.
 *
 * Refuses to change a committed file, and two calls at a time.
 */

import { codedError } from '../errors';
import { type DeviceMatrix, isDeviceMatrix } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import { type DType, toNativeMatrix } from '../matrix/host-matrix';
import type { NativeHostMatrix } from '../native/binding';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { blocksOf, checkConversion } from './convert-rows';
import { IdList } from './id-list';
import { requireLittleEndian } from './little-endian';
import { TemporaryFile, writeError } from './temporary-file';
import { bytesOfElement, dataOffset, extentsOf, makeHeader, type StoreShape } from './write-header';
import {
  checkLength,
  readPath,
  readWriterOptions,
  type StoreWriterOptions,
  type WriterPlan,
} from './writer-options';

/** The temporary file of a writer, for native code that writes all rows of it in any order. */
export interface StoreFill {
  /** Open for reading and writing until `done` or `failed`. */
  fd: number;
  /** Path of the temporary file. */
  path: string;
  /** Byte of the file at which the first row begins. All bytes of the features are there, as zeros or old rows. */
  offset: number;
  dtype: DType;
  rows: number;
  dim: number;
  /** All rows are written. The mapping, if any, may still exist; `commit` may follow. */
  done(): void;
  /** Rows may have any content. Another fill may follow, or `dispose`. */
  failed(): void;
}

/** Access to the private fields of StoreWriter, for this file and not for callers. */
interface Access {
  has(value: object): value is StoreWriter;
  make(file: TemporaryFile, plan: WriterPlan): StoreWriter;
  presize(writer: StoreWriter): Promise<void>;
  fill(name: string, writer: StoreWriter): StoreFill;
}

/** For the functions at the end of this file. The class sets it, once, when this file loads. */
let access: Access;

/** `broken`: the system failed to make bytes durable, so nobody knows what is on the disk. */
type State = 'open' | 'committed' | 'broken' | 'disposed';

/** A store that is being written. Made by `FeatureStore.create`. */
export class StoreWriter implements Disposable, AsyncDisposable {
  readonly dtype: DType;
  readonly dim: number;
  readonly #file: TemporaryFile;
  readonly #plan: WriterPlan;
  readonly #ids = new IdList();
  #rows = 0;
  #filled = false;
  #state: State = 'open';
  #closing: Promise<void> = Promise.resolve();
  /** The call that runs, for messages, and a promise of its end. */
  #running: { name: string; ended: Promise<void> } | null = null;

  static {
    access = {
      has: (value): value is StoreWriter => #plan in value,
      make: (file, plan) => new StoreWriter(file, plan),
      presize: (writer) => writer.#presize(),
      fill: (name, writer) => writer.#fill(name),
    };
  }

  private constructor(file: TemporaryFile, plan: WriterPlan) {
    this.#file = file;
    this.#plan = plan;
    this.dtype = plan.dtype;
    this.dim = plan.dim;
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
    return this.#state === 'committed';
  }

  get disposed(): boolean {
    return this.#state === 'disposed';
  }

  /**
   * Writes rows behind those that are there. The rows are copied as they are written, 1 MiB at a time, and must
   * not change until the promise settles. Await one append before the next.
   *
   * float32 is rounded once to a store of 16 bits, to the nearest, ties to even; 16 bits become float32 exactly.
   * float16 and bfloat16 never become each other.
   *
   * @param features [rows × dim], on the host or on a device.
   * @param options.ids Int32Array [rows], with a store that was created with `ids: true`, and only there.
   *
   * After an error the store has the rows that it had before, and another append may follow: ERR_STORE for a full
   * disk or another failure of the system, for a call while another one runs, or after `commit`. ERR_DISPOSED.
   * ERR_NOT_FINITE for NaN, infinity, or a number beyond the dtype. ERR_TYPE, ERR_SHAPE, ERR_DTYPE, ERR_VALUE,
   * ERR_OPTION, ERR_BUFFER or ERR_DETACHED for features or ids that do not fit.
   */
  append(features: Features, options: { ids?: Int32Array | undefined } = {}): Promise<void> {
    return this.#run('append', async () => {
      const ids = this.#readIds(readNames('options', options, ['ids']).ids);
      const matrix = await toHost(features);
      this.#check(matrix, ids);
      await this.#write(matrix);
      // no error can follow but that of memory for the ids, which leaves the rows as they were
      if (ids !== null) this.#ids.append(ids);
      this.#rows += matrix.rows;
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
    return this.#run('commit', async () => {
      const { rows: expected, ids, overwrite } = this.#plan;
      if (this.#rows === 0) this.#refuse('it has no rows; append some first');
      if (expected !== undefined && this.#rows !== expected) {
        this.#refuse(`it has ${this.#rows} of its ${expected} rows; append the others first`);
      }
      const shape = { dtype: this.dtype, rows: this.#rows, dim: this.#plan.dim, ids };
      await this.#finish(shape);
      this.#refuseDisposed();
      await this.#file.moveToTarget(overwrite);
      this.#state = 'committed';
      await this.#file.syncFolder();
    });
  }

  /** Gives up: removes the temporary file, when a running call has ended. After `commit` nothing happens. */
  async abort(): Promise<void> {
    this.dispose();
    await (this.#running?.ended ?? this.#closing);
  }

  /**
   * Gives up, at once: removes the temporary file. A running call rejects with ERR_DISPOSED. After `commit` nothing
   * happens. May be repeated. Throws ERR_STORE where the system refuses to remove the file.
   */
  dispose(): void {
    if (this.#state === 'committed' || this.#state === 'disposed') return;
    this.#state = 'disposed';
    if (this.#running === null) this.#closing = this.#close();
    this.#file.remove();
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

  /** Checks the state, runs the work, and gives the file back where nothing follows. */
  async #run(name: string, work: () => Promise<void>): Promise<void> {
    const end = this.#begin(name);
    try {
      await work();
    } catch (error) {
      // whatever failed, failed because the file is gone
      if (this.#state === 'disposed') throw disposedError(error);
      throw error;
    } finally {
      await end();
    }
  }

  /** Throws ERR_DISPOSED or ERR_STORE. Returns what to call when the work has ended. */
  #begin(name: string): () => Promise<void> {
    this.#refuseDisposed();
    if (this.#state === 'committed') {
      this.#refuse(`it was committed, and a committed file never changes; ${name} belongs to a new store`);
    }
    if (this.#state === 'broken') {
      this.#refuse('an earlier commit could not make the file durable; dispose of this writer and write again');
    }
    if (this.#running !== null) this.#refuse(`${this.#running.name} still runs; await it before ${name}`);
    let settle = () => {};
    const ended = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#running = { name, ended };
    return async () => {
      this.#running = null;
      if (this.#state === 'disposed' || this.#state === 'committed') await this.#close();
      settle();
    };
  }

  /** Closes the file. Its bytes are on the disk, or nobody wants them: an error has nothing to tell. */
  async #close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  /** A copy: the caller's array may change while rows are written. */
  #readIds(value: unknown): Int32Array | null {
    const name = 'options.ids';
    if (this.#plan.ids) {
      if (value !== undefined) return new Int32Array(check.int32Array(name, value));
      throw check.invalid('ERR_TYPE', name, 'Int32Array, as the store was created with ids: true,', value);
    }
    if (value === undefined) return null;
    throw codedError('ERR_OPTION', `The store has no ids: leave out ${name}, or create it with ids: true`);
  }

  /** Throws ERR_SHAPE or ERR_DTYPE. */
  #check({ rows, dim, dtype }: NativeHostMatrix, ids: Int32Array | null): void {
    const plan = this.#plan;
    if (dim !== plan.dim) throw check.invalid('ERR_SHAPE', 'features', `rows of ${plan.dim} elements`, dim);
    checkConversion(dtype, plan.dtype);
    if (ids !== null && lengthOf(ids) !== rows) {
      throw check.invalid('ERR_SHAPE', 'options.ids', `${rows} ids, one for each row,`, lengthOf(ids));
    }
    const all = this.#rows + rows;
    if (plan.rows !== undefined && all > plan.rows) {
      throw check.invalid('ERR_SHAPE', 'features', `at most ${plan.rows - this.#rows} more rows`, rows);
    }
    checkLength(plan, all);
  }

  async #write(matrix: NativeHostMatrix): Promise<void> {
    let at = dataOffset + this.#rows * this.#plan.dim * bytesOfElement(this.dtype);
    for (const block of blocksOf(matrix, this.dtype)) {
      this.#refuseDisposed();
      await this.#file.write(block, at);
      at += block.length;
    }
    this.#refuseDisposed();
  }

  /** All bytes of the file on the disk, the header last. */
  async #finish(shape: StoreShape): Promise<void> {
    const { featuresEnd, idsBegin, end } = extentsOf(shape);
    // an append that failed may have left bytes behind the rows
    await this.#file.truncate(end);
    await this.#file.write(new Uint8Array(idsBegin - featuresEnd), featuresEnd);
    await this.#file.write(this.#ids.bytes, idsBegin);
    await this.#sync();
    await this.#file.write(makeHeader(shape), 0);
    await this.#sync();
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      // Linux forgets the pages that it could not write: another sync would succeed without them
      if (this.#state === 'open') this.#state = 'broken';
      throw error;
    }
  }

  #fill(name: string): StoreFill {
    const { rows, dim, dtype, ids } = this.#plan;
    if (rows === undefined) this.#refuse(`create it with the option rows to use it as ${name}`);
    if (ids) this.#refuse(`${name} has no ids; create it without ids`);
    if (this.#rows > 0 && !this.#filled) this.#refuse(`rows were appended; ${name} needs a store of its own`);
    const end = this.#begin(`the call that writes ${name}`);
    const finish = (written: number) => {
      this.#rows = written;
      this.#filled = written > 0;
      void end();
    };
    const { fd, path } = this.#file;
    const place = { fd, path, offset: dataOffset, dtype, rows: rows!, dim };
    return { ...place, done: () => finish(rows!), failed: () => finish(0) };
  }

  #refuseDisposed(): void {
    if (this.#state === 'disposed') throw disposedError();
  }

  #refuse(problem: string): never {
    throw writeError(this.#file.target, problem);
  }
}

/** How many zeros one write takes. */
const zeroBytes = 2 ** 22;

const disposedError = (cause?: unknown) =>
  codedError('ERR_DISPOSED', 'Expected the store not to be disposed of but it was', cause);

/** Features of either place on the host. Rejects as `toNativeMatrix`, or with ERR_DISPOSED or ERR_DEVICE. */
async function toHost(features: Features): Promise<NativeHostMatrix> {
  if (!isDeviceMatrix(features)) return toNativeMatrix('features', features);
  const { dtype, shape } = features as DeviceMatrix;
  return toNativeMatrix('features', { data: await (features as DeviceMatrix).toHost(), dtype, shape });
}

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
