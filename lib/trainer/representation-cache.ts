/**
 * The features of one tower, gathered from its chunks into the one contiguous matrix [rows x dim] that the loss reads,
 * with each chunk's extent and random state. 16-bit features stay the bits that they are.
 *
 * Refuses what the loss functions refuse, and chunks whose width or element type differs, naming tower and chunk.
 */

import os from 'node:os';
import { codedError } from '../errors';
import { isDeviceMatrix } from '../matrix/device-matrix';
import { type MatrixLike, toNativeMatrix } from '../matrix/host-matrix';
import type { FeatureGrads } from './encoder';

/** One chunk's place in the feature matrix. */
export interface CachedChunk {
  firstRow: number;
  rows: number;
  /** What the encoder's `randomState` returned just before this chunk was encoded. */
  randomState: unknown;
}

/** Growth of the storage while the number of rows is unknown: 1.5 keeps old + new under twice the final size. */
const growthFactor = 1.5;

export class RepresentationCache {
  readonly chunks: CachedChunk[] = [];
  rows = 0;
  /** Width of the features; 0 until the first chunk. */
  dim = 0;
  private dtype: NonNullable<MatrixLike['dtype']> = 'float32';
  private storage: Float32Array | Uint16Array = new Float32Array(0);

  /**
   * @param tower Name used in messages.
   * @param expectedRows How many rows will come, if known: the matrix is then allocated once. Without it storage
   *   grows by half; unused capacity is address space the system has not backed with memory yet.
   */
  constructor(
    private readonly tower: string,
    private readonly expectedRows = 0,
  ) {}

  /** Bytes of features held. */
  get bytes(): number {
    return this.rows * this.dim * this.storage.BYTES_PER_ELEMENT;
  }

  /** Copies the next chunk's features in, so that the encoder may reuse or free its array at once. */
  append(features: unknown, randomState: unknown): void {
    const { data, dtype, rows, dim, rowStride } = this.readChunk(features);
    this.dim = dim;
    this.reserve((this.rows + rows) * dim, dtype);
    if (rowStride === dim) {
      this.storage.set(data.subarray(0, rows * dim), this.rows * dim);
    } else {
      for (let i = 0; i < rows; i++) {
        this.storage.set(data.subarray(i * rowStride, i * rowStride + dim), (this.rows + i) * dim);
      }
    }
    this.chunks.push({ firstRow: this.rows, rows, randomState });
    this.rows += rows;
  }

  /** All features so far, [rows x dim], without a copy. */
  matrix(): MatrixLike {
    return {
      data: this.storage.subarray(0, this.rows * this.dim),
      shape: [this.rows, this.dim],
      dtype: this.dtype,
    };
  }

  /** The rows of `grads` ([rows x dim], the gradient of the whole matrix) that belong to chunk `index`: a view. */
  gradsOfChunk(grads: Float32Array, index: number): FeatureGrads {
    const { firstRow, rows } = this.chunks[index]!;
    return {
      data: grads.subarray(firstRow * this.dim, (firstRow + rows) * this.dim),
      shape: [rows, this.dim],
      dtype: 'float32',
    };
  }

  private readChunk(features: unknown) {
    const where = `${this.tower} chunk ${this.chunks.length}`;
    if (isDeviceMatrix(features)) {
      throw codedError(
        'ERR_TYPE',
        `Expected features on the host from ${where} but received a DeviceMatrix: return await matrix.toHost()`,
      );
    }
    const matrix = toNativeMatrix(where, features);
    if (this.rows > 0 && matrix.dtype !== this.dtype) {
      throw codedError(
        'ERR_DTYPE',
        `Expected ${this.dtype}, as in the chunks before, from ${where} but received ${matrix.dtype}`,
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
   * As much as the caller expects; null where that is too little, or more than half of the machine's memory: the loss
   * would have no room for gradients of that size.
   */
  private allocateExpected(elements: number): Float32Array | Uint16Array | null {
    const expected = this.expectedRows * this.dim;
    if (expected < elements || expected * this.storage.BYTES_PER_ELEMENT > os.totalmem() / 2) return null;
    try {
      return this.allocate(expected);
    } catch {
      // the number of rows is a hint, which must not make a step fail
      return null;
    }
  }

  private allocateGrown(elements: number): Float32Array | Uint16Array {
    const grown = Math.max(elements, Math.ceil(this.storage.length * growthFactor));
    try {
      return this.allocate(grown);
    } catch (error) {
      const bytes = grown * this.storage.BYTES_PER_ELEMENT;
      throw codedError(
        'ERR_OUT_OF_MEMORY',
        `Cannot allocate ${bytes} bytes for the features of ${this.tower}: use smaller batches or 16-bit features`,
        error,
      );
    }
  }

  private allocate(elements: number): Float32Array | Uint16Array {
    return this.dtype === 'float32' ? new Float32Array(elements) : new Uint16Array(elements);
  }
}
