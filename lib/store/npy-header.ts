/**
 * The header of .npy files, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: versions 1,
 * 2 and 3, with float32 or float16 in little-endian order, rows first.
 *
 * The header is a Python literal. Only the form that NumPy writes is read, token by token: no expression is
 * evaluated.
 */

import type { DType } from '../matrix/host-matrix';
import { quoted, type Refuse, type StoreFile } from './store-file';
import type { FeatureLayout } from './store-header';

/** The magic number: \x93NUMPY. */
const magicNumber = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The most that version 1 can have. NumPy itself reads 10,000 bytes by default. */
const mostHeaderBytes = 2 ** 16;

export const isNpy = (start: Uint8Array) => magicNumber.every((byte, i) => start[i] === byte);

const dtypeOf: ReadonlyMap<string, DType> = new Map([
  ['<f4', 'float32'],
  ['<f2', 'float16'],
]);
const bytesOf = { float32: 4, float16: 2, bfloat16: 2 } as const;

/** The features of a .npy file. `start` has its first eight bytes. Rejects with ERR_STORE. */
export async function readNpyHeader(file: StoreFile, start: Uint8Array): Promise<FeatureLayout> {
  const { bytes, refuse } = file;
  const version = start[6]!;
  if (version < 1 || version > 3 || start[7] !== 0) {
    refuse(`its version of .npy is ${version}.${start[7]}; infcl reads 1.0, 2.0 and 3.0`);
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const headerBegin = 8 + lengthBytes;
  if (bytes < headerBegin) refuse('the file ends within its header; is the copy complete?');
  const length = (await file.read(8, lengthBytes)).reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  const offset = headerBegin + length;
  if (offset > bytes) refuse('the file ends within its header; is the copy complete?');
  if (length > mostHeaderBytes) {
    refuse(`its header has ${length} bytes, and infcl reads at most ${mostHeaderBytes}; is it damaged?`);
  }
  // names of fields may be Unicode, but types with fields are refused
  const text = Buffer.from(await file.read(headerBegin, length)).toString('latin1');
  const { dtype, rows, dim } = checkFields(new Literal(text, refuse).dictionary(), refuse);
  const size = bytesOf[dtype];
  if (offset % size !== 0) {
    refuse(`its data begin at byte ${offset}, between two elements; write the file again by np.save`);
  }
  const needed = rows * dim * size;
  if (needed !== bytes - offset) {
    const what = needed > bytes - offset ? 'too short' : 'too long';
    refuse(
      `the file is ${what}: its matrix [${rows}, ${dim}] has ${needed} bytes and ${bytes - offset} are there; is the copy complete?`,
    );
  }
  return { format: 'npy', dtype, rows, dim, offset, ids: null };
}

function checkFields(fields: ReadonlyMap<string, Value>, refuse: Refuse) {
  const [descr, columnsFirst, shape] = ['descr', 'fortran_order', 'shape'].map((name) => fields.get(name));
  if (
    fields.size !== 3 ||
    typeof descr !== 'string' ||
    typeof columnsFirst !== 'boolean' ||
    !Array.isArray(shape)
  ) {
    return refuse('its header has not the names descr, fortran_order and shape alone; is it damaged?');
  }
  const dtype = dtypeOf.get(descr);
  if (dtype === undefined) return refuse(typeProblem(descr));
  if (columnsFirst) refuse('its columns come first (fortran_order); save np.ascontiguousarray(x)');
  const [rows, dim] = shape;
  if (shape.length !== 2 || !isLength(rows) || !isLength(dim) || !Number.isSafeInteger(rows * dim * 4)) {
    return refuse(
      `its shape is (${shape.slice(0, 8).join(', ')}); features have two dimensions (rows, dim), both at least 1`,
    );
  }
  return { dtype, rows, dim };
}

const isLength = (value: number | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1;

function typeProblem(descr: string): string {
  const what = `its elements are of type ${quoted(descr)}`;
  if (/^>f[24]$/.test(descr)) return `${what}, big-endian; save x.astype(np.float32)`;
  if (/^[<|]V2$/.test(descr)) return `${what}; bfloat16 has no type in .npy: write safetensors`;
  return `${what}; infcl reads '<f4' and '<f2': save x.astype(np.float32)`;
}

type Value = string | boolean | number[];

/** The dictionary as NumPy writes it: names in quotes; texts, True, False, and tuples of integers. */
class Literal {
  readonly #tokens: RegExp = /[ \t\r\n]*(?:('[^'\\]*'|"[^"\\]*")|(True|False)|(0|[1-9]\d*)L?|([^\w'"])|$)/y;
  readonly #text: string;
  readonly #refuse: Refuse;
  #next: { text?: string; word?: string; integer?: string; mark?: string } = {};

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
    this.#advance();
  }

  dictionary(): ReadonlyMap<string, Value> {
    const fields = new Map<string, Value>();
    this.#take('{');
    while (this.#next.mark !== '}') {
      const name = this.#string();
      if (fields.has(name)) this.#fail();
      this.#take(':');
      fields.set(name, this.#value());
      if (this.#next.mark !== '}') this.#take(',');
    }
    this.#take('}');
    if (Object.values(this.#next).some((part) => part !== undefined)) this.#fail();
    return fields;
  }

  #value(): Value {
    const { text, word, mark } = this.#next;
    if (text !== undefined) return this.#string();
    if (mark === '(') return this.#tuple();
    if (mark === '[')
      this.#refuse('its header has a list, as types with fields have; save one field alone, as np.float32');
    if (word === undefined) this.#fail();
    this.#advance();
    return word === 'True';
  }

  #string(): string {
    const { text } = this.#next;
    if (text === undefined) return this.#fail();
    this.#advance();
    return text.slice(1, -1);
  }

  #tuple(): number[] {
    const list: number[] = [];
    this.#take('(');
    while (this.#next.mark !== ')') {
      const { integer } = this.#next;
      if (integer === undefined) return this.#fail();
      list.push(Number(integer));
      this.#advance();
      // one element needs its comma: (3) is an integer and no tuple
      if (this.#next.mark !== ')' || list.length === 1) this.#take(',');
    }
    this.#take(')');
    return list;
  }

  #take(mark: string): void {
    if (this.#next.mark !== mark) this.#fail();
    this.#advance();
  }

  #advance(): void {
    const match = this.#tokens.exec(this.#text);
    if (match === null) this.#fail();
    const [, text, word, integer, mark] = match as unknown as string[];
    this.#next = { text, word, integer, mark };
  }

  #fail(): never {
    const at = this.#tokens.lastIndex;
    return this.#refuse(
      `its header is no dictionary as NumPy writes it, before character ${at}: ${quoted(this.#text.slice(0, 80))}`,
    );
  }
}
