/**
 * What a native binary says about itself in its first bytes: for which system and processor it was made, and
 * whether its end is missing. Reads ELF (Linux), PE (Windows) and Mach-O (macOS).
 *
 * Refuses to guess: a file of another form is of no platform.
 */

import fs from 'node:fs';

export interface BinaryFile {
  /** `platform-arch` in Node's words, `linux-` alone for a processor without a name here; null for no binary. */
  platform: string | null;
  /** The file is shorter than its header says. */
  truncated: boolean;
}

const headerBytes = 4096;

/** Null for a file that cannot be read: the error of its loading says why. */
export function readBinaryFile(path: string): BinaryFile | null {
  let file: number | undefined;
  try {
    file = fs.openSync(path, 'r');
    const header = Buffer.alloc(headerBytes);
    const length = fs.readSync(file, header, 0, headerBytes, 0);
    return describe(header.subarray(0, length), fs.fstatSync(file).size);
  } catch {
    return null;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function describe(header: Buffer, size: number): BinaryFile {
  if (header.length < 64) return { platform: null, truncated: true };
  if (header.readUInt32BE(0) === 0x7f454c46) return describeElf(header, size);
  if (header.toString('latin1', 0, 2) === 'MZ') return describePe(header);
  if (header.readUInt32LE(0) === 0xfeedfacf) {
    const arch = { 16777223: 'x64', 16777228: 'arm64' }[header.readUInt32LE(4)] ?? '';
    return { platform: `darwin-${arch}`, truncated: false };
  }
  return { platform: null, truncated: false };
}

/** An ELF file ends with the table of its sections, whose place is in the header. */
function describeElf(header: Buffer, size: number): BinaryFile {
  const arch = { 62: 'x64', 183: 'arm64', 3: 'ia32', 40: 'arm' }[header.readUInt16LE(18)] ?? '';
  const is64Bit = header[4] === 2;
  const tableEnd = is64Bit
    ? Number(header.readBigUInt64LE(0x28)) + header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c)
    : 0;
  return { platform: `linux-${arch}`, truncated: size < tableEnd };
}

function describePe(header: Buffer): BinaryFile {
  const place = header.readUInt32LE(0x3c);
  if (place + 6 > header.length) return { platform: 'win32-', truncated: true };
  const arch = { 34404: 'x64', 43620: 'arm64', 332: 'ia32' }[header.readUInt16LE(place + 4)] ?? '';
  return { platform: `win32-${arch}`, truncated: false };
}
