/** Writes the block of data that `client/packed-block.ts` reads. Refuses to choose what is in it. */

import { gzipSync } from 'node:zlib';
import type { ByteRows } from './principal.js';

/** The compressed block in base64. @param rows What texts are compared with. */
export function pack(header: object, text: ByteRows, rows: ByteRows): string {
  const json = Buffer.from(JSON.stringify(header));
  // spaces after JSON are JSON, and arrays of floats begin at multiples of 4
  const padding = Buffer.alloc((4 - (json.length % 4)) % 4, ' ');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length + padding.length);
  const arrays = [text.scales, rows.scales, text.values, rows.values].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return gzipSync(Buffer.concat([length, json, padding, ...arrays]), { level: 9 }).toString('base64');
}
