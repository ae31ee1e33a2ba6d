/**
 * Reads machine code out of a cubin, which is an ELF file with a section .text.<kernel> for each kernel. From
 * compute capability 7.0 on an instruction is 16 bytes, and its opcode the low 12 bits. What else is known of the
 * encoding was found by assembling small kernels, as the opcodes were.
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
  [0x981, 'LDG'],
  [0x986, 'STG'],
  [0x992, 'MEMBAR'],
  [0x229, 'DADD'],
  [0x947, 'BRA'],
  [0x94d, 'EXIT'],
  [0x344, 'CALL'], // to an address in a register
  [0x944, 'CALL'],
  [0x950, 'RET'],
  [0x949, 'BRX'], // to an address in a register
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

/** [kernel, machine code] of each kernel. */
function* codeOf(cubin) {
  for (const [name, code] of sections(cubin))
    if (name.startsWith('.text.') && code) yield [name.slice('.text.'.length), code];
}

const opcodeAt = (code, at) => names.get(code.readUInt16LE(at) & 0xfff);

/** Per kernel the opcodes in order, undefined where an instruction has no name here. */
export function opcodesOf(cubin) {
  const kernels = new Map();
  for (const [kernel, code] of codeOf(cubin)) {
    const opcodes = [];
    for (let at = 0; at < code.length; at += 16) opcodes.push(opcodeAt(code, at));
    kernels.set(kernel, opcodes);
  }
  return kernels;
}

/** Always taken: neither of the instruction's two predicates is in use. */
const isUnconditional = (code, at) =>
  ((code.readUInt16LE(at) >> 12) & 0xf) === 7 && ((code.readUInt32LE(at + 8) >> 23) & 0xf) === 7;

/**
 * Index of the instruction that a branch of sm_90 goes to. The distance from the next instruction, in units of 4
 * bytes, has its low 8 bits at bit 16 and the other 48 at bit 34.
 */
function branchTarget(code, at) {
  const [low, high] = [code.readBigUInt64LE(at), code.readBigUInt64LE(at + 8)];
  const upper = ((high << 30n) | (low >> 34n)) & 0xffff_ffff_ffffn;
  const distance = BigInt.asIntN(56, (upper << 8n) | ((low >> 16n) & 0xffn));
  const target = at + 16 + 4 * Number(distance);
  if (target < 0 || target >= code.length || target % 16 !== 0)
    throw new Error(`branch at ${at} to ${target}: the encoding of branches is not what cubin.mjs expects`);
  return target / 16;
}

/**
 * Per kernel of an sm_90 cubin its instructions in order: { opcode, next }, where next lists the instructions that may
 * come after. A fault of decoding shows in the last branch, which every kernel ends with and which goes to itself.
 */
export function controlFlow(cubin) {
  const kernels = new Map();
  for (const [kernel, code] of codeOf(cubin)) {
    const instructions = [];
    const count = code.length / 16;
    let loopsForEver = false;
    for (let at = 0; at < code.length; at += 16) {
      const opcode = opcodeAt(code, at);
      if (['CALL', 'RET', 'BRX'].includes(opcode))
        throw new Error(`${kernel}: ${opcode}, which cubin.mjs cannot follow`);
      const index = at / 16;
      const next = opcode === 'BRA' ? [branchTarget(code, at)] : [];
      const stays = (opcode === 'BRA' || opcode === 'EXIT') && isUnconditional(code, at);
      if (!stays && index + 1 < count) next.push(index + 1);
      if (stays && next[0] === index) loopsForEver = true;
      instructions.push({ opcode, next });
    }
    if (!loopsForEver) throw new Error(`${kernel}: no branch to itself, so branches are not decoded right`);
    kernels.set(kernel, instructions);
  }
  return kernels;
}
