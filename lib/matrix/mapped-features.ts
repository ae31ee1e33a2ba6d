/**
 * Features in a file, which native code reads where they lie: the part of a store that a call needs. The class
 * `FeatureStore` (lib/store) adds how a file is opened.
 *
 * Refuses to show the mapped memory to JavaScript. A write to the memory would end the process, and a transfer to
 * another thread would copy the whole file.
 */

import { callNative, codedError } from '../errors';
import type {
  DType,
  MappingHandle,
  NativeBinding,
  NativeMappedMatrix,
  NativeMatrix,
  NativeOutput,
} from '../native/binding';
import * as check from '../validate';
import { allocateElements } from './allocate';

/** Access to the private fields of MappedFeatures, for this file and not for callers. */
interface Access {
  has(value: object): value is MappedFeatures;
  toNative(name: string, features: MappedFeatures): NativeMappedMatrix;
}

/** For the functions at the end of this file. The class sets it, once, when this file loads. */
let access: Access;

/** A mapped file with its shape. */
export interface OpenedFeatures {
  /** Absolute. */
  path: string;
  mapping: MappingHandle;
  dtype: DType;
  rows: number;
  dim: number;
}

/** Features [rows × dim] in a file. Made by `FeatureStore.open`. */
export abstract class MappedFeatures implements Disposable {
  /** [rows, dim]. */
  readonly shape: readonly [rows: number, dim: number];
  readonly dtype: DType;
  /** Absolute path of the file. */
  readonly path: string;
  readonly #binding: NativeBinding;
  readonly #handle: MappingHandle;
  /** The fields above, where no caller can overwrite them. */
  readonly #layout: Omit<NativeMappedMatrix, 'data'>;
  #disposed = false;

  static {
    access = {
      has: (value): value is MappedFeatures => #handle in value,
      toNative: (name, features) => features.#native(name),
    };
  }

  protected constructor(binding: NativeBinding, { path, mapping, dtype, rows, dim }: OpenedFeatures) {
    this.shape = [rows, dim];
    this.dtype = dtype;
    this.path = path;
    this.#binding = binding;
    this.#handle = mapping;
    this.#layout = { dtype, rows, dim, rowStride: dim, device: undefined };
  }

  /** Features in one row. */
  get dim(): number {
    return this.#layout.dim;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * A copy in memory of the rows from `begin` to before `end`, by default all: a matrix [end - begin × dim], in
   * the dtype of the file. Blocks while the system reads the file. For a file in slow storage, copy few rows at
   * a time.
   *
   * Throws ERR_DISPOSED, ERR_TYPE, or ERR_VALUE for no rows or rows beyond the last one. Throws ERR_STORE where the
   * file was changed since it was opened, or cannot be read, and ERR_OUT_OF_MEMORY.
   */
  rows(begin = 0, end = this.#layout.rows): MappedRows {
    const { data: mapping, dtype, rows, dim } = this.#native('this store');
    const last = check.positiveInteger('end', end, rows);
    const first = check.nonNegativeInteger('begin', begin);
    if (first >= last) throw check.invalid('ERR_VALUE', 'begin', `row before end (${last})`, first);
    const elements = (last - first) * dim;
    const what = `a copy of [${last - first}, ${dim}]`;
    const into = allocateElements(what, elements, dtype, 'copy fewer rows at a time');
    const offset = first * dim * bytesOf(dtype);
    callNative(() => this.#binding.readMapping({ mapping, dtype, offset, elements, into }));
    return { data: into, shape: [last - first, dim], dtype };
  }

  /** Closes the file, at once or when the calls that read it have ended. May be repeated. */
  dispose(): void {
    this.#disposed = true;
    this.#binding.releaseMapping(this.#handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #native(name: string): NativeMappedMatrix {
    if (this.#disposed) {
      throw codedError('ERR_DISPOSED', `Expected ${name} not to be disposed of but received one that was`);
    }
    return { data: this.#handle, ...this.#layout };
  }
}

/** Rows of a store, in an array of their own. */
export interface MappedRows {
  /** [rows × dim], row-major: a Float32Array, or the bits of float16 or bfloat16. */
  data: Float32Array | Uint16Array;
  shape: [rows: number, dim: number];
  dtype: DType;
}

/** By brand and not by class: objects that only look like one are refused. Never throws. */
export function isMappedFeatures(value: unknown): value is MappedFeatures {
  return typeof value === 'object' && value !== null && access.has(value);
}

/** The matrix for a native call. Throws ERR_DISPOSED. */
export function toNativeMappedMatrix(name: string, features: MappedFeatures): NativeMappedMatrix {
  return access.toNative(name, features);
}

/** Whether native code finds the matrix in a file. */
export function isMappedMatrix(matrix: NativeMatrix | NativeOutput): matrix is NativeMappedMatrix {
  return !ArrayBuffer.isView(matrix) && matrix.device === undefined && !ArrayBuffer.isView(matrix.data);
}

const bytesOf = (dtype: DType) => (dtype === 'float32' ? 4 : 2);
