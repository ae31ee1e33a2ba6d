/**
 * Files of features are little-endian, and so is every processor that infcl is built for. Rows are copied as
 * they are in memory.
 */

import { endianness } from 'node:os';
import { notImplemented } from '../validate';

/** Throws ERR_NOT_IMPLEMENTED on a big-endian machine, instead of reading or writing wrong numbers. */
export function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw notImplemented('A feature store on a big-endian machine');
}
