/**
 * The features of one tower, gathered from its chunks into the one contiguous float32 matrix [rows x dim] the loss
 * reads, with each chunk's extent and random state. Refuses features that the loss would misread (other dtypes,
 * widths that change, lengths that contradict the shape), naming tower and chunk.
 */

import { types } from 'node:util';
import { codedError } from '../errors';
import type { MatrixLike } from '../matrix';
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
  private storage = new Float32Array(0);

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
    return this.rows * this.dim * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Copies the next chunk's features in, so that the encoder may reuse or free its array at once. */
  append(features: MatrixLike, randomState: unknown): void {
    const { data, rows, dim, stride } = this.readChunk(features);
    this.dim = dim;
    this.reserve((this.rows + rows) * dim);
    if (stride === dim) {
      this.storage.set(data.subarray(0, rows * dim), this.rows * dim);
    } else {
      for (let i = 0; i < rows; i++) {
        this.storage.set(data.subarray(i * stride, i * stride + dim), (this.rows + i) * dim);
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
      dtype: 'float32',
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

  private reserve(elements: number): void {
    if (elements <= this.storage.length) return;
    const grown = this.storage.length === 0 ? elements : Math.ceil(this.storage.length * growthFactor);
    const expected = this.expectedRows * this.dim;
    const larger = new Float32Array(expected >= elements ? expected : Math.max(elements, grown));
    larger.set(this.storage.subarray(0, this.rows * this.dim));
    this.storage = larger;
  }

  private readChunk(features: MatrixLike) {
    const where = `${this.tower} chunk ${this.chunks.length}`;
    const { data, dtype } = features ?? {};
    if (!types.isFloat32Array(data) || (dtype ?? 'float32') !== 'float32') {
      throw codedError(
        'ERR_DTYPE',
        `Expected float32 features in a Float32Array from ${where} but received ${describe(features)}`,
      );
    }
    const shape = features.shape ?? features.dims;
    if (shape?.length !== 2 || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
      throw codedError(
        'ERR_SHAPE',
        `Expected shape [rows, dim] of positive integers from ${where} but received ${JSON.stringify(shape)}`,
      );
    }
    const [rows, dim] = shape as [number, number];
    if (this.dim !== 0 && dim !== this.dim) {
      throw codedError(
        'ERR_SHAPE',
        `Expected dim ${this.dim}, as in the chunks before, from ${where} but received ${dim}`,
      );
    }
    const stride = features.rowStride ?? dim;
    const needed = (rows - 1) * stride + dim;
    if (!Number.isSafeInteger(stride) || stride < dim || data.length < needed) {
      throw codedError(
        'ERR_SHAPE',
        `Expected at least ${needed} elements for shape [${rows}, ${dim}] and row stride ${stride} from ${where} but received ${data.length}`,
      );
    }
    return { data, rows, dim, stride };
  }
}

function describe(features: MatrixLike | undefined): string {
  const data: unknown = features?.data;
  const kind =
    data === null || data === undefined ? String(data) : Object.prototype.toString.call(data).slice(8, -1);
  return `${kind}${features?.dtype === undefined ? '' : ` with dtype ${features.dtype}`}`;
}
