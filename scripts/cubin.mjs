/**
 * Reads machine code out of a cubin, which is an ELF file with a section .text.<kernel> for each kernel. From
 * compute capability 7.0 on an instruction is 16 bytes, and its opcode the low 12 bits.
 */

/** Opcodes that the checks ask about; found by assembling kernels of one instruction each. */
const names = new Map([
  [0x23c, 'HMMA'],
  [0x9f0, 'HGMMA'],
  [0x5b4, 'UTMALDG'],
  [0x3b4, 'MULTICAST'], // UTMALDG to several blocks
  [0x83b, 'LDSM'],
  [0xfae, 'LDGSTS'],
  [0x308, 'MUFU'],
  [0xf89, 'SHFL'],
  [0xb1d, 'BAR'],
  [0x983, 'LDL'],
  [0x387, 'STL'],
]);

/** [name, bytes] of every section of a 64-bit little-endian ELF file. */
function* sections(elf) {
  if (elf.toString('latin1', 0, 4) !== '\x7fELF' || elf[4] !== 2 || elf[5] !== 1)
    throw new Error('not a 64-bit little-endian ELF file');
  const table = Number(elf.readBigUInt64LE(0x28));
  const [entrySize, count, nameSection] = [0x3a, 0x3c, 0x3e].map((at) => elf.readUInt16LE(at));
  const section = (index) => {
    const at = table + index * entrySize;
    const offset = Number(elf.readBigUInt64LE(at + 0x18));
    return {
      name: elf.readUInt32LE(at),
      type: elf.readUInt32LE(at + 4),
      offset,
      size: Number(elf.readBigUInt64LE(at + 0x20)),
    };
  };
  const strings = section(nameSection).offset;
  for (let i = 0; i < count; i += 1) {
    const { name, type, offset, size } = section(i);
    const end = elf.indexOf(0, strings + name);
    const holdsBytes = type !== 8; // SHT_NOBITS
    yield [
      elf.toString('latin1', strings + name, end),
      holdsBytes ? elf.subarray(offset, offset + size) : null,
    ];
  }
}

/** Per kernel how often each named opcode occurs, and `all` instructions. */
export function opcodeCounts(cubin) {
  const kernels = new Map();
  for (const [name, code] of sections(cubin)) {
    if (!name.startsWith('.text.') || !code) continue;
    const counts = { all: code.length / 16 };
    for (let at = 0; at < code.length; at += 16) {
      const opcode = names.get(code.readUInt16LE(at) & 0xfff);
      if (opcode) counts[opcode] = (counts[opcode] ?? 0) + 1;
    }
    kernels.set(name.slice('.text.'.length), counts);
  }
  return kernels;
}
