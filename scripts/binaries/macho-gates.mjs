/**
 * What a finished binary for macOS must be. Reads the file itself (the format is Mach-O), so that the checks need no tools
 * of macOS. Each check returns complaints, as gates.mjs does.
 */
import { addonSymbols, checkContents, readOrComplain } from './gates.mjs';
import { compareVersions } from './old-symbols.mjs';

/** Numbers of the format: magic, processor, kind of file, and the commands that the checks read. */
const magic = 0xfeedfacf;
const arm64 = 0x0100000c;
const libraryKinds = [6, 8]; // MH_DYLIB, MH_BUNDLE
const commands = { symbols: 0x2, library: 0xc, signature: 0x1d, oldVersion: 0x24, version: 0x32 };

/** Blobs of a signature: the list of blobs, and the one with a hash of each page of the file. */
const signatureMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
const adHocFlag = 0x2;

function textAt(bytes, offset) {
  return bytes.toString('utf8', offset, bytes.indexOf(0, offset));
}

/** Names that the file gives to others: symbols with the external bit, without the private one, that a section holds. */
function readExports(bytes, at) {
  const [table, count, strings] = [8, 12, 16].map((field) => bytes.readUInt32LE(at + field));
  const entries = Array.from({ length: count }, (_, index) => table + index * 16);
  return entries
    .filter((entry) => (bytes[entry + 4] & 0xff) === 0x0f) // N_SECT and N_EXT, without N_PEXT
    .map((entry) => textAt(bytes, strings + bytes.readUInt32LE(entry)).replace(/^_/, ''));
}

/** 'ad hoc', 'signed' or null for a signature that cannot be read. Numbers of a signature are big-endian. */
function readSignature(bytes, at) {
  const begin = bytes.readUInt32LE(at + 8);
  if (bytes.readUInt32BE(begin) !== signatureMagic) return null;
  const count = bytes.readUInt32BE(begin + 8);
  const blobs = Array.from(
    { length: count },
    (_, index) => begin + bytes.readUInt32BE(begin + 16 + index * 8),
  );
  const directory = blobs.find((blob) => bytes.readUInt32BE(blob) === codeDirectoryMagic);
  if (directory === undefined) return null;
  return (bytes.readUInt32BE(directory + 12) & adHocFlag) !== 0 ? 'ad hoc' : 'signed';
}

const versionOf = (packed) => `${packed >>> 16}.${(packed >>> 8) & 0xff}`;

/** Bytes from one command to the next. A command without a size would be read again and again. */
function sizeOfCommand(bytes, at) {
  const size = bytes.readUInt32LE(at + 4);
  if (size < 8) throw new RangeError(`a command of ${size} bytes`);
  return size;
}

/** The facts that the checks need, or null for a file of another format. */
export function readMachO(bytes) {
  if (bytes.length < 32 || bytes.readUInt32LE(0) !== magic) return null;
  const found = {
    isArm64: bytes.readUInt32LE(4) === arm64,
    isLibrary: libraryKinds.includes(bytes.readUInt32LE(12)),
    needed: [],
    exported: [],
    oldest: null,
    signature: null,
  };
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--, at += sizeOfCommand(bytes, at)) {
    const command = bytes.readUInt32LE(at) & 0x7fffffff;
    if (command === commands.library) found.needed.push(textAt(bytes, at + bytes.readUInt32LE(at + 8)));
    if (command === commands.symbols) found.exported = readExports(bytes, at);
    if (command === commands.signature) found.signature = readSignature(bytes, at);
    if (command === commands.version) found.oldest = versionOf(bytes.readUInt32LE(at + 12));
    if (command === commands.oldVersion) found.oldest = versionOf(bytes.readUInt32LE(at + 8));
  }
  return found;
}

/** Checks an addon for macOS on arm64. `rules`: oldest macOS; libraries that the file may need; bytes and root as for checkElf. */
export function checkMachO(file, { oldest, libraries, ...contents }) {
  const { found, complaints } = readOrComplain(readMachO, file, 'is no program of 64 bits for macOS');
  if (!found) return complaints;
  if (!found.isArm64) complaints.push('is not for arm64');
  if (!found.isLibrary) complaints.push('is no library');
  for (const name of found.needed.filter((library) => !libraries.includes(library))) {
    complaints.push(`needs ${name}, expected nothing beyond ${libraries.join(', ')}`);
  }
  if (!found.oldest || compareVersions(found.oldest, oldest) > 0) {
    complaints.push(
      `starts with macOS ${found.oldest ?? 'of an unknown version'}, expected ${oldest} or older`,
    );
  }
  // macOS on arm64 ends a process that loads code without a signature. Any signature will do.
  if (!found.signature) complaints.push('has no signature');
  // The linker of zig 0.11 cannot hide names, so names of libc++ are exported too.
  const absent = addonSymbols.filter((name) => !found.exported.includes(name));
  if (absent.length > 0) complaints.push(`does not export ${absent.join(' and ')}`);
  return [...complaints, ...checkContents(file, contents)];
}
