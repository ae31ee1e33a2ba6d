/** Writes the block of data that `client/page-data.ts` reads. Refuses to choose what is in it. */

import { gzipSync } from 'node:zlib';
import type { ByteRows } from '../../icons/page/principal.js';
import type { PageHeader } from '../client/page-data.js';

/** The compressed block in base64. */
export function pack(header: PageHeader, text: ByteRows, boxes: ByteRows): string {
  const json = Buffer.from(JSON.stringify(header));
  // spaces after JSON are JSON, and arrays of floats begin at multiples of 4
  const padding = Buffer.alloc((4 - (json.length % 4)) % 4, ' ');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length + padding.length);
  const arrays = [text.scales, boxes.scales, text.values, boxes.values].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return gzipSync(Buffer.concat([length, json, padding, ...arrays]), { level: 9 }).toString('base64');
}
