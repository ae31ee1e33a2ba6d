/**
 * What a finished binary for Windows must be. Reads the file itself (the format is PE), so that the checks need no tools of
 * Windows. Each check returns complaints, as gates.mjs does.
 */
import { addonSymbols, checkContents, readOrComplain } from './gates.mjs';

const machines = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

/** Flags of the header. Windows places a file with these flags at a random address, and runs no code on its stack. */
const protections = { 'a random address (DYNAMICBASE)': 0x40, 'data that is no code (NXCOMPAT)': 0x100 };

function textAt(bytes, offset) {
  return bytes.toString('latin1', offset, bytes.indexOf(0, offset));
}

/** Where the file holds what is at an address of the loaded image. */
function offsetOf(sections, address) {
  const section = sections.find(({ begin, size }) => address >= begin && address < begin + size);
  if (!section) throw new RangeError(`no section holds the address ${address}`);
  return address - section.begin + section.offset;
}

function readSections(bytes, at, count) {
  return Array.from({ length: count }, (_, index) => {
    const header = at + index * 40;
    return {
      size: Math.max(bytes.readUInt32LE(header + 8), bytes.readUInt32LE(header + 16)),
      begin: bytes.readUInt32LE(header + 12),
      offset: bytes.readUInt32LE(header + 20),
    };
  });
}

/** Names of the libraries that the file needs. A row of zeros ends the table. */
function readImports(bytes, sections, address) {
  const names = [];
  for (let row = offsetOf(sections, address); bytes.readUInt32LE(row + 12) !== 0; row += 20) {
    names.push(textAt(bytes, offsetOf(sections, bytes.readUInt32LE(row + 12))));
  }
  return names;
}

function readExports(bytes, sections, address) {
  const table = offsetOf(sections, address);
  const names = offsetOf(sections, bytes.readUInt32LE(table + 32));
  return Array.from({ length: bytes.readUInt32LE(table + 24) }, (_, index) =>
    textAt(bytes, offsetOf(sections, bytes.readUInt32LE(names + index * 4))),
  );
}

/** The facts that the checks need, or null for a file of another format. */
export function readPe(bytes) {
  if (bytes.length < 0x40 || bytes.toString('latin1', 0, 2) !== 'MZ') return null;
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') return null;
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== 0x20b) return null; // a file of 32 bits
  const sections = readSections(
    bytes,
    optional + bytes.readUInt16LE(header + 20),
    bytes.readUInt16LE(header + 6),
  );
  const [exported, imported] = [0, 1].map((index) => bytes.readUInt32LE(optional + 112 + index * 8));
  return {
    machine: machines.get(bytes.readUInt16LE(header + 4)) ?? 'an unknown processor',
    isLibrary: (bytes.readUInt16LE(header + 22) & 0x2000) !== 0,
    flags: bytes.readUInt16LE(optional + 70),
    needed: imported === 0 ? [] : readImports(bytes, sections, imported),
    exported: exported === 0 ? [] : readExports(bytes, sections, exported),
  };
}

/** Checks an addon for Windows. `rules`: machine; libraries that the file may need; bytes and root as for checkElf. */
export function checkPe(file, { machine, libraries, ...contents }) {
  const { found: pe, complaints } = readOrComplain(readPe, file, 'is no program of 64 bits for Windows');
  if (!pe) return complaints;
  if (pe.machine !== machine) complaints.push(`is for ${pe.machine}, expected ${machine}`);
  if (!pe.isLibrary) complaints.push('is no library');
  for (const [name, flag] of Object.entries(protections)) {
    if ((pe.flags & flag) === 0) complaints.push(`does not ask Windows for ${name}`);
  }
  for (const name of pe.needed.filter((library) => !libraries.includes(library))) {
    complaints.push(`needs ${name}, expected nothing beyond ${libraries.join(', ')}`);
  }
  if (!pe.needed.includes('node.exe')) complaints.push('does not take the names of Node-API from node.exe');
  if ([...pe.exported].sort().join() !== [...addonSymbols].sort().join()) {
    complaints.push(`exports ${pe.exported.join(', ')}, expected ${addonSymbols.join(' and ')}`);
  }
  return [...complaints, ...checkContents(file, contents)];
}
