/**
 * A bank: features of the last steps, which are further negatives of the present one (MoCo, arXiv 1911.05722;
 * cross-batch memory, arXiv 1912.06798). First in, first out. Every row has an id, by which the mask of the loss
 * leaves out rows that are positives of the present batch.
 *
 * Refuses gradients: the features of a bank are constants.
 */

import { codedError } from '../errors';
import { allocate, allocateElements } from '../matrix/allocate';
import { toHostMatrix } from '../matrix/features';
import { type DType, dtypes, type HostFeatures } from '../matrix/host-matrix';
import type { PackedMatrix } from '../matrix/pack-rows';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { type FeatureBankState, readBankState } from './feature-bank-state';

export interface FeatureBankOptions {
  /** The most rows. The oldest ones leave. */
  capacity: number;
  /** Width of the features. */
  dim: number;
  /** Element type, default 'float32'. Rows are kept as they come: `toFloat16` makes rows of 16 bits. */
  dtype?: DType | undefined;
}

/** Features with the rows of a bank after them, for one call of a loss function. */
export interface WithBank {
  /** The given rows, then those of the bank, [rows + size x dim]. A copy. */
  features: PackedMatrix;
  /** Their ids, [rows + size]. */
  ids: Int32Array;
  /** How many rows were given: they come first. For `grad: { keys: { rows } }`. */
  rows: number;
}

export class FeatureBank {
  readonly capacity: number;
  readonly dim: number;
  readonly dtype: DType;
  private readonly data: Float32Array | Uint16Array;
  private readonly rowIds: Int32Array;
  private filled = 0;
  /** Where the next row goes. */
  private next = 0;

  /**
   * Allocates all of its memory at once.
   *
   * Throws ERR_TYPE, ERR_VALUE, ERR_OPTION or ERR_OUT_OF_MEMORY.
   */
  constructor(options: FeatureBankOptions) {
    const given = readNames('options', options, ['capacity', 'dim', 'dtype']);
    this.capacity = check.positiveInteger('options.capacity', given.capacity);
    this.dim = check.positiveInteger('options.dim', given.dim);
    this.dtype = given.dtype === undefined ? 'float32' : check.oneOf('options.dtype', given.dtype, dtypes);
    this.data = allocateElements('a bank', this.capacity * this.dim, this.dtype);
    this.rowIds = allocate('the ids of a bank', 4 * this.capacity, () => new Int32Array(this.capacity));
  }

  /**
   * A bank that goes on from what `state` returned: the same rows in the same order, so later losses have the same
   * bits. The arrays are copied.
   *
   * Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE, ERR_BUFFER, ERR_DETACHED or ERR_OUT_OF_MEMORY.
   */
  static from(state: FeatureBankState): FeatureBank {
    const { capacity, dim, dtype, next, features, ids } = readBankState(state);
    const made = new FeatureBank({ capacity, dim, dtype });
    made.data.set(features);
    made.rowIds.set(ids);
    [made.filled, made.next] = [lengthOf(ids), next];
    return made;
  }

  /** How many rows are in the bank now. */
  get size(): number {
    return this.filled;
  }

  /**
   * The rows, [size x dim], in no particular order; null while there are none. A view: the next `push` overwrites
   * its rows.
   */
  get features(): PackedMatrix | null {
    if (this.filled === 0) return null;
    const data = this.data.subarray(0, this.filled * this.dim);
    return { data, shape: [this.filled, this.dim], dtype: this.dtype };
  }

  /** The id of each row of `features`, [size]. A view. */
  get ids(): Int32Array {
    return this.rowIds.subarray(0, this.filled);
  }

  /**
   * Copies rows into the bank, in place of the oldest ones. Only the last `capacity` of the rows are taken.
   *
   * @param features [rows x dim], of the bank's element type.
   * @param ids [rows].
   *
   * Throws the loss functions' codes for features, ERR_SHAPE for another width or another number of ids, ERR_DTYPE
   * for another element type, and ERR_TYPE for ids that are no Int32Array. The bank is unchanged then.
   */
  push(features: HostFeatures, ids: Int32Array): void {
    const { matrix, ids: given } = this.readRows(features, ids);
    for (let row = Math.max(0, matrix.rows - this.capacity); row < matrix.rows; row++) {
      const begin = row * matrix.rowStride;
      this.data.set(matrix.data.subarray(begin, begin + this.dim), this.next * this.dim);
      this.rowIds[this.next] = given[row]!;
      this.next = (this.next + 1) % this.capacity;
      this.filled = Math.min(this.filled + 1, this.capacity);
    }
  }

  /** All that {@link FeatureBank.from} needs, for a checkpoint. Copies: later pushes do not change them. */
  state(): FeatureBankState {
    const { capacity, dim, dtype, next, filled } = this;
    const features = this.data.slice(0, filled * dim);
    return { kind: 'FeatureBank', capacity, dim, dtype, next, features, ids: this.ids.slice() };
  }

  /** Forgets all rows. */
  clear(): void {
    [this.filled, this.next] = [0, 0];
  }

  /**
   * The given rows with the bank's rows after them, as keys of `infonce` or `siglip`:
   *
   *     const all = bank.behind(keys, ids);
   *     const result = await contrastiveLossAndGrad(queries, all.features, {
   *       ...{ objective: 'infonce', queryIds: ids, keyIds: all.ids },
   *       grad: { keys: { rows: all.rows } },
   *     });
   *     bank.push(keys, ids);
   *
   * Throws as {@link FeatureBank.push}, and ERR_OUT_OF_MEMORY.
   */
  behind(features: HostFeatures, ids: Int32Array): WithBank {
    const { matrix, ids: given } = this.readRows(features, ids);
    const { data, rows, rowStride } = matrix;
    const [all, dim] = [rows + this.filled, this.dim];
    const into = allocateElements('keys with a bank', all * dim, this.dtype);
    for (let row = 0; row < rows; row++) {
      into.set(data.subarray(row * rowStride, row * rowStride + dim), row * dim);
    }
    into.set(this.data.subarray(0, this.filled * dim), rows * dim);
    const allIds = new Int32Array(all);
    allIds.set(given);
    allIds.set(this.ids, rows);
    return { features: { data: into, shape: [all, dim], dtype: this.dtype }, ids: allIds, rows };
  }

  private readRows(
    features: unknown,
    ids: unknown,
  ): { matrix: ReturnType<typeof toHostMatrix>; ids: Int32Array } {
    const matrix = toHostMatrix('features', features);
    if (matrix.dim !== this.dim) {
      throw codedError(
        'ERR_SHAPE',
        `Expected dim ${this.dim}, as the bank has, for features but received [${matrix.rows}, ${matrix.dim}]`,
      );
    }
    if (matrix.dtype !== this.dtype) {
      const convert = { float32: 'toFloat32', float16: 'toFloat16', bfloat16: 'toBFloat16' }[this.dtype];
      throw codedError(
        'ERR_DTYPE',
        `Expected ${this.dtype}, as the bank has, for features but received ${matrix.dtype}; ` +
          `${convert}(features) makes a copy`,
      );
    }
    const given = check.int32Array('ids', ids);
    if (lengthOf(given) !== matrix.rows) {
      throw codedError(
        'ERR_SHAPE',
        `Expected ${matrix.rows} ids, one a row of features, but received ${lengthOf(given)}`,
      );
    }
    return { matrix, ids: given };
  }
}
