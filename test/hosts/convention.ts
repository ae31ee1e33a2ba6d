/**
 * What a case of the table is, and the matrix that every case has: small integers, which all element types contain
 * exactly, so that all losses are equal.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const rows = [
  [1, 0],
  [0, 2],
  [3, 1],
];
export const shape = [3, 2];
export const flat = () => Float32Array.from(rows.flat());
/** The same numbers as bfloat16. */
export const bfloat16 = () => Uint16Array.from(new Uint32Array(flat().buffer), (bits) => bits >>> 16);
/** The same numbers as float16. */
export const float16 = () => Uint16Array.of(0x3c00, 0, 0, 0x4000, 0x4200, 0x3c00);

export interface Case {
  /** As the first column of the table. */
  convention: string;
  /** As the last column. */
  runWith: string;
  /** The object as its package hands it out. */
  make(): unknown;
  /** Variables of the line, beside packRows. */
  names?(made: never): Record<string, unknown>;
  /** For Node 24: JavaScript that makes the object, which has `ort` of onnxruntime-node. */
  node24?: string;
}

/** The installed version, as "name version". Some packages do not export their package.json, so the file is read. */
export function versionOf(name: string): string {
  const folders = [__dirname, join(__dirname, '..', '..')];
  const files = folders.map((folder) => join(folder, 'node_modules', name, 'package.json'));
  const { version } = JSON.parse(readFileSync(files.find(existsSync)!, 'utf8')) as { version: string };
  return `${name} ${version}`;
}
