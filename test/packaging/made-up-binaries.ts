/**
 * Small libraries for Windows (PE) and macOS (Mach-O), as bytes: no compiler writes them, no system loads them. Each has
 * what the gates of scripts/binaries read, and each fact can be given otherwise.
 */

/** A buffer of zeros that grows: texts are put at its end, and numbers anywhere. */
class Bytes {
  private bytes = Buffer.alloc(0x200);
  end = 0x200;

  private reach(end: number) {
    if (end > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(end)]);
    this.end = Math.max(this.end, end);
  }
  word(at: number, value: number) {
    this.reach(at + 2);
    this.bytes.writeUInt16LE(value, at);
  }
  number(at: number, value: number) {
    this.reach(at + 4);
    this.bytes.writeUInt32LE(value, at);
  }
  /** Signatures of macOS have their numbers in this order. */
  bigEndian(at: number, value: number) {
    this.reach(at + 4);
    this.bytes.writeUInt32BE(value, at);
  }
  put(at: number, text: string) {
    this.reach(at + text.length + 1);
    this.bytes.write(text, at, 'latin1');
    return at;
  }
  /** Puts a text with a zero behind it at the end. Returns its place. */
  text(text: string) {
    return this.put(this.end, text);
  }
  room(bytes: number) {
    const at = this.end;
    this.reach(at + bytes);
    return at;
  }
  finish = () => this.bytes.subarray(0, this.end);
}

const addonSymbols = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

const goodPe = {
  magic: 'PE\0\0',
  machine: 0x8664,
  optional: 0x20b, // a file of 64 bits
  kind: 0x2000, // a library
  flags: 0x140, // DYNAMICBASE and NXCOMPAT
  needed: ['node.exe', 'KERNEL32.dll'],
  exported: addonSymbols,
  extra: '', // text at the end of the file
};

/** How far the loaded image is moved against the file: addresses are no places of the file. */
const moved = 0x1000;

function putImports(file: Bytes, directory: number, needed: string[]) {
  const table = file.room(20 * (needed.length + 1));
  needed.forEach((name, index) => {
    file.number(table + 20 * index + 12, file.text(name) + moved);
  });
  file.number(directory, table + moved);
}

function putExports(file: Bytes, directory: number, exported: string[]) {
  const table = file.room(40);
  const names = file.room(4 * exported.length);
  file.number(table + 24, exported.length);
  file.number(table + 32, names + moved);
  exported.forEach((name, index) => {
    file.number(names + 4 * index, file.text(name) + moved);
  });
  file.number(directory, table + moved);
}

/** A library for Windows. */
export function peFile(facts: Partial<typeof goodPe> = {}): Buffer {
  const pe = { ...goodPe, ...facts };
  const file = new Bytes();
  const header = 0x40;
  const optional = header + 24;
  const optionalBytes = 128; // to the end of the second directory
  file.put(0, 'MZ');
  file.number(0x3c, header);
  file.put(header, pe.magic);
  file.word(header + 4, pe.machine);
  file.word(header + 6, 1);
  file.word(header + 20, optionalBytes);
  file.word(header + 22, pe.kind);
  file.word(optional, pe.optional);
  file.word(optional + 70, pe.flags);
  if (pe.exported.length > 0) putExports(file, optional + 112, pe.exported);
  if (pe.needed.length > 0) putImports(file, optional + 120, pe.needed);
  file.text(pe.extra);
  const section = optional + optionalBytes;
  file.number(section + 8, file.end); // one section holds all of the file
  file.number(section + 12, moved);
  file.number(section + 16, file.end);
  file.number(section + 20, 0);
  return file.finish();
}

const goodMachO = {
  magic: 0xfeedfacf,
  machine: 0x0100000c, // arm64
  kind: 8, // a bundle
  needed: ['/usr/lib/libSystem.B.dylib'],
  exported: addonSymbols.map((name) => `_${name}`),
  /** Kind of each symbol: one that others see, in a section. */
  symbolKind: 0x0f,
  oldest: [11, 0] as [number, number] | null,
  oldCommand: false, // the version in the command of macOS before 10.14
  emptyCommand: false, // a command of 0 bytes at the end
  signature: 'ad hoc' as 'ad hoc' | 'signed' | 'damaged' | null,
  extra: '',
};

type Command = { number: number; words: (file: Bytes, at: number) => void; bytes: number };

function symbolTable(exported: string[], kind: number): Command {
  const words = (file: Bytes, at: number) => {
    const table = file.room(16 * exported.length);
    const strings = file.room(1); // a name at place 0 is none
    file.number(at + 8, table);
    file.number(at + 12, exported.length);
    file.number(at + 16, strings);
    exported.forEach((name, index) => {
      file.number(table + 16 * index, file.text(name) - strings);
      file.word(table + 16 * index + 4, kind);
    });
  };
  return { number: 0x2, bytes: 24, words };
}

const library = (name: string): Command => ({
  number: 0xc,
  bytes: 24 + 64,
  words(file, at) {
    file.number(at + 8, 24);
    file.put(at + 24, name);
  },
});

function versionOf([major, minor]: [number, number], isOld: boolean): Command {
  const words = (file: Bytes, at: number) => file.number(at + (isOld ? 8 : 12), (major << 16) | (minor << 8));
  return { number: isOld ? 0x24 : 0x32, bytes: 24, words };
}

/** A signature with another blob before the one that the gate reads. */
function signatureOf(kind: string): Command {
  const words = (file: Bytes, at: number) => {
    const begin = file.room(64);
    file.number(at + 8, begin);
    file.bigEndian(begin, kind === 'damaged' ? 1 : 0xfade0cc0);
    file.bigEndian(begin + 8, 2);
    file.bigEndian(begin + 16, 28);
    file.bigEndian(begin + 24, 40);
    file.bigEndian(begin + 28, 0xfade0c01);
    file.bigEndian(begin + 40, 0xfade0c02);
    file.bigEndian(begin + 52, kind === 'ad hoc' ? 0x2 : 0);
  };
  return { number: 0x1d, bytes: 16, words };
}

/** A library for macOS. */
export function machOFile(facts: Partial<typeof goodMachO> = {}): Buffer {
  const macho = { ...goodMachO, ...facts };
  const commands = [
    symbolTable(macho.exported, macho.symbolKind),
    ...macho.needed.map(library),
    ...(macho.oldest ? [versionOf(macho.oldest, macho.oldCommand)] : []),
    ...(macho.signature ? [signatureOf(macho.signature)] : []),
    ...(macho.emptyCommand ? [{ number: 1, bytes: 0, words: () => {} }] : []),
  ];
  const file = new Bytes();
  file.number(0, macho.magic);
  file.number(4, macho.machine);
  file.number(12, macho.kind);
  file.number(16, commands.length);
  let at = 32;
  for (const { number, bytes, words } of commands) {
    file.number(at, number);
    file.number(at + 4, bytes);
    words(file, at);
    at += bytes;
  }
  file.text(macho.extra);
  return file.finish();
}
