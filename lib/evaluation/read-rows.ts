/** Rows for the arithmetic of metrics: the reader of `lib/matrix`, under the name that this room's files import. */

export { allocate } from '../matrix/allocate';
export { type Rows, readRows, requireAttached, requireEqualDim } from '../matrix/read-rows';
