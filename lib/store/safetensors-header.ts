/**
 * The header of safetensors files, https://github.com/huggingface/safetensors#format: the length of the header
 * in 8 bytes, a JSON object with the tensors, then the data of all tensors without gaps.
 *
 * Refuses every header that the reference implementation in Rust refuses, and more than 1 MiB of header.
 */

import type { DType } from '../matrix/host-matrix';
import { quoted, type StoreFile } from './store-file';
import type { FeatureLayout } from './store-header';
import { parseStrictJson, type StrictJson } from './strict-json';

/** Headers of language models have some 100 KiB. */
const mostHeaderBytes = 2 ** 20;
const lengthBytes = 8;

/** Bits of an element, for every type of the format. */
const bitsOf = new Map(
  Object.entries({
    ...{ BOOL: 8, U8: 8, I8: 8, U16: 16, I16: 16, U32: 32, I32: 32, U64: 64, I64: 64 },
    ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8 },
    ...{ F16: 16, BF16: 16, F32: 32, F64: 64, C64: 64 },
  }),
);

/** Types of elements that features can have, and their names in infcl. */
export const featureTypes: ReadonlyMap<string, DType> = new Map([
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
]);

interface Tensor {
  name: string;
  dtype: string;
  shape: number[];
  /** Bytes of the data, from the end of the header. */
  begin: number;
  end: number;
}

/** The features of a safetensors file, and its ids. `start` has the first eight bytes. Rejects with ERR_STORE. */
export async function readSafetensorsHeader(
  file: StoreFile,
  start: Uint8Array,
  wanted: string | undefined,
): Promise<FeatureLayout> {
  const length = headerLength(file, start);
  const text = decode(file, await file.read(lengthBytes, length));
  const tensors = readTensors(file, parseStrictJson(text, file.refuse));
  const dataBegin = lengthBytes + length;
  checkData(file, tensors, file.bytes - dataBegin);
  const features = choose(file, tensors, wanted);
  const { dtype, rows, dim } = readMatrix(file, features);
  const offset = dataBegin + features.begin;
  if (offset % (bitsOf.get(features.dtype)! / 8) !== 0) {
    file.refuse(`its tensor begins at byte ${offset}, between two elements; write the file again, aligned`);
  }
  return {
    format: 'safetensors',
    dtype,
    rows,
    dim,
    offset,
    ids: readIds(file, tensors, features, dataBegin),
  };
}

function headerLength({ bytes, refuse }: StoreFile, start: Uint8Array): number {
  const length = new DataView(start.buffer, start.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length === 0n) {
    refuse('it has no header: its writer is at work, or ended before commit(); wait, or delete the file');
  }
  if (length > BigInt(bytes - lengthBytes)) {
    refuse(
      `its header should have ${length} bytes, and the file has ${bytes}; is it a safetensors or .npy file, copied completely?`,
    );
  }
  if (length > BigInt(mostHeaderBytes)) {
    refuse(
      `its header has ${length} bytes, and infcl reads at most ${mostHeaderBytes}; write the features into a file of their own`,
    );
  }
  return Number(length);
}

function decode({ refuse }: StoreFile, bytes: Uint8Array): string {
  if (bytes[0] !== 0x7b) refuse("its header does not begin with '{'; is it a safetensors or .npy file?");
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return refuse('its header is not UTF-8; the file is damaged', error);
  }
}

function readTensors(file: StoreFile, header: StrictJson): Tensor[] {
  if (!(header instanceof Map)) return file.refuse('its header is no JSON object; the file is damaged');
  const tensors: Tensor[] = [];
  for (const [name, value] of header as ReadonlyMap<string, StrictJson>) {
    if (name === '__metadata__') checkMetadata(file, value);
    else tensors.push(readTensor(file, name, value));
  }
  return tensors;
}

function checkMetadata({ refuse }: StoreFile, value: StrictJson): void {
  const isText = value instanceof Map && [...value.values()].every((entry) => typeof entry === 'string');
  if (!isText) refuse('its __metadata__ is no object of texts; the file is damaged');
}

function readTensor({ refuse }: StoreFile, name: string, value: StrictJson): Tensor {
  const damaged = (what: string) =>
    refuse(
      `its tensor ${quoted(name)} has ${what}; the file is damaged, or of a later version of the format`,
    );
  if (!(value instanceof Map)) return damaged('no description');
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((key) => value.get(key));
  if (typeof dtype !== 'string') return damaged('no dtype');
  const bits = bitsOf.get(dtype);
  if (bits === undefined) return damaged(`the unknown dtype ${quoted(dtype)}`);
  if (!isIntegers(shape)) return damaged('no shape of integers');
  if (!isIntegers(offsets) || offsets.length !== 2) return damaged('no two data_offsets');
  const [begin, end] = offsets as [number, number];
  // past 2^60 a product stays past every file, also where a zero follows: the reference readers refuse it too
  const size = shape.reduce((product, length) => (product <= 2 ** 60 ? product * length : product), bits) / 8;
  if (begin > end || size !== end - begin) {
    return damaged(`the shape [${shape.slice(0, 8).join(', ')}], which does not fit its data_offsets`);
  }
  return { name, dtype, shape, begin, end };
}

const isIntegers = (value: StrictJson | undefined): value is number[] =>
  Array.isArray(value) && value.every((element) => typeof element === 'number');

/** Tensors must follow each other without gap and overlap, and end where the file ends. */
function checkData({ refuse }: StoreFile, tensors: Tensor[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) {
      const what = begin < at ? 'overlaps another tensor' : 'has a gap before it';
      refuse(`its tensor ${quoted(name)} ${what}; the file is damaged`);
    }
    at = end;
  }
  if (at !== dataBytes) {
    const what = at > dataBytes ? 'too short' : 'too long';
    refuse(
      `the file is ${what}: its tensors have ${at} bytes and ${dataBytes} are there; is the copy complete?`,
    );
  }
}

/** The tensor that the caller names, the tensor 'features', or the only one that can be features. */
function choose({ refuse }: StoreFile, tensors: Tensor[], wanted: string | undefined): Tensor {
  const named = tensors.find(({ name }) => name === (wanted ?? 'features'));
  if (named !== undefined) return named;
  const candidates = tensors.filter(({ dtype, shape }) => featureTypes.has(dtype) && shape.length === 2);
  if (wanted === undefined && candidates.length === 1) return candidates[0]!;
  const names = tensors.slice(0, 5).map(({ name }) => quoted(name));
  const list = names.length === 0 ? 'none' : `${names.join(', ')}${tensors.length > 5 ? ', …' : ''}`;
  return refuse(
    wanted === undefined
      ? `which of its tensors are the features? Name one by the option tensor; the file has ${list}`
      : `it has no tensor ${quoted(wanted)}; the file has ${list}`,
  );
}

function readMatrix({ refuse }: StoreFile, { name, dtype, shape }: Tensor) {
  const type = featureTypes.get(dtype);
  const which = `its tensor ${quoted(name)}`;
  if (type === undefined) {
    return refuse(`${which} has elements of type ${dtype}; write it as F32, F16 or BF16`);
  }
  const [rows, dim] = shape;
  if (shape.length !== 2 || rows === 0 || dim === 0) {
    return refuse(
      `${which} has the shape [${shape.slice(0, 8).join(', ')}]; features have [rows, dim], both at least 1`,
    );
  }
  return { dtype: type, rows: rows!, dim: dim! };
}

/** The tensor 'ids' belongs to the tensor 'features'; beside a tensor of another name it means something else. */
function readIds({ refuse }: StoreFile, tensors: Tensor[], features: Tensor, dataBegin: number) {
  const ids = tensors.find(({ name }) => name === 'ids');
  if (features.name !== 'features' || ids === undefined) return null;
  const [count] = features.shape as [number, number];
  if (ids.dtype !== 'I32' || ids.shape.length !== 1 || ids.shape[0] !== count) {
    refuse(
      `its tensor 'ids' is ${ids.dtype} [${ids.shape.slice(0, 8).join(', ')}] and not I32 [${count}]; write it as int32, one for each row, or name it otherwise`,
    );
  }
  return { offset: dataBegin + ids.begin, count };
}
