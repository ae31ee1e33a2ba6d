/**
 * The features of one tower: its chunks in one contiguous matrix [rows x dim], which the loss reads. Keeps the rows
 * and the random state of each chunk. 16-bit features stay bits, unless rows are normalised: these are float32.
 *
 * Refuses features that the loss functions refuse, and chunks of another width or element type. Messages name
 * tower and chunk.
 */

import os from 'node:os';
import { codedError } from '../errors';
import { allocateElements } from '../matrix/allocate';
import type { PackedOf } from '../matrix/convert';
import { isDeviceMatrix } from '../matrix/device-matrix';
import { type MatrixLike, toNativeMatrix } from '../matrix/host-matrix';
import { normalizeRows, normalizeRowsGrad } from '../matrix/normalize-rows';
import type { PackedMatrix } from '../matrix/pack-rows';
import { finiteRows } from '../matrix/read-rows';
import type { FeatureGrads } from './encoder';
import { secondsSince } from './step-context';

/** One chunk's place in the feature matrix. */
interface CachedChunk {
  firstRow: number;
  rows: number;
  /** The value of the encoder's `randomState` just before it encoded this chunk. */
  randomState: unknown;
  /** The lengths of its rows before they were normalised; absent where rows are kept as they came. */
  lengths?: Float64Array;
}

/**
 * Growth of the storage while the number of rows is unknown. With 1.5, old and new storage take less than
 * twice the final size.
 */
const growthFactor = 1.5;

export class RepresentationCache {
  readonly chunks: CachedChunk[] = [];
  rows = 0;
  /** Width of the features; 0 until the first chunk. */
  dim = 0;
  /** Time spent with rows of length 1 and with the gradient through them. */
  normalizeSeconds = 0;
  /** Of the chunks as they came. */
  private givenDtype: NonNullable<MatrixLike['dtype']> = 'float32';
  /** Of the features as they are kept. */
  dtype: NonNullable<MatrixLike['dtype']> = 'float32';
  private storage: Float32Array | Uint16Array = new Float32Array(0);

  /**
   * @param tower Name in messages.
   * @param expectedRows Number of rows that will come, if known: the matrix is then allocated once. Without
   *   it, storage grows by half. The system does not back unused capacity with memory.
   * @param normalized Whether rows are divided by their lengths.
   */
  constructor(
    private readonly tower: string,
    private readonly expectedRows = 0,
    readonly normalized = false,
  ) {}

  /** Bytes of the features so far. */
  get bytes(): number {
    return this.rows * this.dim * this.storage.BYTES_PER_ELEMENT;
  }

  /** Copies the features of the next chunk, so that the encoder may reuse or free its array at once. */
  append(features: unknown, randomState: unknown): void {
    const given = this.readChunk(features);
    const unit = this.normalized ? this.unitRows(given) : null;
    const { data, dtype, rows, dim, rowStride } = unit?.matrix ?? given;
    if (this.rows === 0) this.givenDtype = given.dtype;
    this.dim = dim;
    this.reserve((this.rows + rows) * dim, dtype);
    if (rowStride === dim) {
      this.storage.set(data.subarray(0, rows * dim), this.rows * dim);
    } else {
      for (let i = 0; i < rows; i++) {
        this.storage.set(data.subarray(i * rowStride, i * rowStride + dim), (this.rows + i) * dim);
      }
    }
    this.chunks.push({ firstRow: this.rows, rows, randomState, ...(unit && { lengths: unit.lengths }) });
    this.rows += rows;
  }

  /** All features so far, [rows x dim], without a copy. */
  matrix(): PackedMatrix {
    return {
      data: this.storage.subarray(0, this.rows * this.dim),
      shape: [this.rows, this.dim],
      dtype: this.dtype,
    };
  }

  /**
   * A view of the rows of `grads` that belong to chunk `index`. `grads` is the gradient of the whole matrix,
   * [rows x dim]. Where rows are normalised, first turns these rows into gradients of the features as they came.
   * So each chunk may be asked for once.
   */
  gradsOfChunk(grads: Float32Array, index: number): FeatureGrads {
    const { firstRow, rows, lengths } = this.chunks[index]!;
    const [begin, end] = [firstRow * this.dim, (firstRow + rows) * this.dim];
    const data = grads.subarray(begin, end);
    if (lengths !== undefined) {
      const began = performance.now();
      const unit = this.storage.subarray(begin, end) as Float32Array;
      const features: PackedOf<'float32'> = { data: unit, shape: [rows, this.dim], dtype: 'float32' };
      normalizeRowsGrad({ features, lengths }, data, { inPlace: true });
      this.normalizeSeconds += secondsSince(began);
    }
    return { data, shape: [rows, this.dim], dtype: 'float32' };
  }

  /** The rows of a chunk divided by their lengths, as a copy. */
  private unitRows(matrix: ReturnType<typeof toNativeMatrix>) {
    const began = performance.now();
    const { data, rows, dim, rowStride } = finiteRows(this.where, matrix);
    const { features, lengths } = normalizeRows({ data, shape: [rows, dim], rowStride });
    this.normalizeSeconds += secondsSince(began);
    return { matrix: { ...features, rows, dim, rowStride: dim }, lengths };
  }

  /** The next chunk, in messages. */
  private get where(): string {
    return `${this.tower} chunk ${this.chunks.length}`;
  }

  private readChunk(features: unknown) {
    const { where } = this;
    if (isDeviceMatrix(features)) {
      throw codedError(
        'ERR_TYPE',
        `Expected features on the host from ${where} but received a DeviceMatrix: return await matrix.toHost()`,
      );
    }
    const matrix = toNativeMatrix(where, features);
    if (this.rows > 0 && matrix.dtype !== this.givenDtype) {
      throw codedError(
        'ERR_DTYPE',
        `Expected ${this.givenDtype}, as in the chunks before, from ${where} but received ${matrix.dtype}`,
      );
    }
    if (this.rows > 0 && matrix.dim !== this.dim) {
      throw codedError(
        'ERR_SHAPE',
        `Expected dim ${this.dim}, as in the chunks before, from ${where} but received ${matrix.dim}`,
      );
    }
    return matrix;
  }

  private reserve(elements: number, dtype: NonNullable<MatrixLike['dtype']>): void {
    if (this.rows === 0) {
      this.dtype = dtype;
      this.storage = dtype === 'float32' ? new Float32Array(0) : new Uint16Array(0);
    }
    if (elements <= this.storage.length) return;
    const larger = this.allocateExpected(elements) ?? this.allocateGrown(elements);
    larger.set(this.storage.subarray(0, this.rows * this.dim));
    this.storage = larger;
  }

  /**
   * Storage for the expected rows. Null if that is too little, or more than half of the machine's memory: the
   * loss would have no room for gradients of that size.
   */
  private allocateExpected(elements: number): Float32Array | Uint16Array | null {
    const expected = this.expectedRows * this.dim;
    if (expected < elements || expected * this.storage.BYTES_PER_ELEMENT > os.totalmem() / 2) return null;
    try {
      return allocateElements('all rows', expected, this.dtype);
    } catch {
      // the expected number of rows is a hint, which must not make a step fail
      return null;
    }
  }

  private allocateGrown(elements: number): Float32Array | Uint16Array {
    const grown = Math.max(elements, Math.ceil(this.storage.length * growthFactor));
    const advice = 'use smaller batches or 16-bit features';
    return allocateElements(`the features of ${this.tower}`, grown, this.dtype, advice);
  }
}
