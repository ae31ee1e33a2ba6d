/**
 * The form in which a writer lends its temporary file to a native call.
 *
 * Refuses to say how the call writes: by a mapping or otherwise.
 */

import type { DType } from '../matrix/host-matrix';

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
