/**
 * The first page of a safetensors file that infcl writes: the length of the header, a JSON object, and spaces
 * up to byte 4,096. So the features begin at the start of a page, and a mapping of them is aligned.
 *
 * Refuses to know a file: the writer puts the page where it belongs.
 */

import type { DType } from '../matrix/host-matrix';

/** Where the features begin. */
export const dataOffset = 4096;

export interface StoreShape {
  dtype: DType;
  rows: number;
  dim: number;
  /** Whether an int32 for each row follows the features. */
  ids: boolean;
}

export const bytesOfElement = (dtype: DType) => (dtype === 'float32' ? 4 : 2);

const nameOf: Record<DType, string> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

/** Where features and ids lie, in bytes of the file. */
export function extentsOf({ dtype, rows, dim, ids }: StoreShape) {
  const featuresEnd = dataOffset + rows * dim * bytesOfElement(dtype);
  // torch refuses int32 at odd places. The format allows no gap, so a tensor fills the two bytes.
  const idsBegin = ids ? Math.ceil(featuresEnd / 4) * 4 : featuresEnd;
  return { featuresEnd, idsBegin, end: idsBegin + (ids ? 4 * rows : 0) };
}

/** The first `dataOffset` bytes of a file with this content. */
export function makeHeader(shape: StoreShape): Uint8Array {
  const { dtype, rows, dim, ids } = shape;
  const { featuresEnd, idsBegin, end } = extentsOf(shape);
  const tensor = (type: string, lengths: number[], from: number, to: number) => ({
    dtype: type,
    shape: lengths,
    data_offsets: [from - dataOffset, to - dataOffset],
  });
  const padding = idsBegin - featuresEnd;
  const json = JSON.stringify({
    features: tensor(nameOf[dtype], [rows, dim], dataOffset, featuresEnd),
    ...(padding > 0 ? { padding: tensor('U8', [padding], featuresEnd, idsBegin) } : {}),
    ...(ids ? { ids: tensor('I32', [rows], idsBegin, end) } : {}),
  });
  const lengthBytes = 8;
  const page = Buffer.alloc(dataOffset, ' ');
  page.writeBigUInt64LE(BigInt(dataOffset - lengthBytes));
  page.write(json, lengthBytes, 'latin1');
  return page;
}
