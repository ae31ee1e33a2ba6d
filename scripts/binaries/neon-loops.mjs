/**
 * What can be known of the speed of the NEON kernels without an arm64 machine: `node scripts/binaries/neon-loops.mjs g++` (or
 * `zig`, which compiles for macOS) compiles the kernels and reads the machine code of their inner loops. A loop must hold its
 * sums in registers: no access to the stack, and few loads and copies of vectors for each multiply-add.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, capture, missingPrograms } from './command.mjs';
import { compileSources, readSources } from './sources.mjs';
import { missingForZig, sourcesForZig, zigCompiler } from './zig.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Kernels in which the time of a call goes by, and the sums of a micro-tile: 6 columns or rows by 4 vectors. */
const hot = ['score_micro_tile', 'accumulate_rows', 'accumulate_columns'];
const sums = 24;
/** A step loads 4 vectors and 6 elements that are multiplied by each. */
const loadsOfStep = 10;

/** Functions of a disassembly of objdump, by name: lists of { address, opcode, operands }. */
function functionsOf(text) {
  const functions = new Map();
  let current = [];
  for (const line of text.split('\n')) {
    const name = /^[0-9a-f]+ <(.*)>:$/.exec(line)?.[1];
    if (name !== undefined) {
      current = [];
      functions.set(name, current);
    }
    const [, address, opcode, operands] = /^\s+([0-9a-f]+):\t(\S+)\s*(.*)$/.exec(line) ?? [];
    if (address !== undefined) current.push({ address: Number.parseInt(address, 16), opcode, operands });
  }
  return functions;
}

/** The loops of a function that hold no other loop, each a list of instructions. */
function innerLoops(code) {
  const first = code[0]?.address ?? 0;
  const ranges = code.flatMap(({ address, opcode, operands }) => {
    if (!/^(b|b\.\w+|cbn?z|tbn?z)$/.test(opcode)) return [];
    const target = Number.parseInt(/([0-9a-f]+) </.exec(operands)?.[1] ?? 'x', 16);
    return target >= first && target < address ? [[target, address]] : [];
  });
  const holds = ([begin, end], [b, e]) => begin <= b && e <= end && end - begin > e - b;
  return ranges
    .filter((range) => !ranges.some((other) => holds(range, other)))
    .map(([begin, end]) => code.filter(({ address }) => begin <= address && address <= end));
}

const isVector = (operands) => /^[vqds]\d+\b/.test(operands);

/** Counts what costs time in a loop. */
function countsOf(loop) {
  const count = (test) => loop.filter(test).length;
  const pairs = count(({ opcode }) => opcode === 'ldp');
  return {
    multiplyAdds: count(({ opcode }) => opcode === 'fmla' || opcode === 'bfdot'),
    loads:
      2 * pairs + count(({ opcode, operands }) => /^(ldu?r|ld1r?)$/.test(opcode) && !/^[xw]/.test(operands)),
    stack: count(({ opcode, operands }) => /^(ld|st)/.test(opcode) && operands.includes('[sp')),
    copies: count(({ opcode, operands }) => /^(mov|dup|ins|fmov)$/.test(opcode) && isVector(operands)),
    instructions: loop.length,
  };
}

/** Rows of the table, and complaints: one pass over the inner loops that multiply. `text` is a disassembly. */
export function examine(text) {
  const rows = [];
  const complaints = [];
  for (const kernel of hot) {
    const codes = [...functionsOf(text)].filter(([name]) => name.includes(`${kernel}<`));
    const loops = codes.flatMap(([, code]) => innerLoops(code)).map(countsOf);
    const multiplying = loops.filter(({ multiplyAdds }) => multiplyAdds >= sums);
    if (!multiplying.some(({ multiplyAdds }) => multiplyAdds === 4 * sums))
      complaints.push(`${kernel}: no loop of ${4 * sums} multiply-adds`);
    for (const counts of multiplying) {
      const { multiplyAdds, loads, stack, copies } = counts;
      if (stack > 0) complaints.push(`${kernel}: ${stack} accesses to the stack in a loop`);
      if (copies * 6 > multiplyAdds)
        complaints.push(`${kernel}: ${copies} copies of vectors for ${multiplyAdds} multiply-adds`);
      if (loads * sums > multiplyAdds * loadsOfStep)
        complaints.push(`${kernel}: ${loads} loads for ${multiplyAdds} multiply-adds`);
      rows.push({ kernel, ...counts });
    }
  }
  return { rows, complaints };
}

const gcc = 'aarch64-linux-gnu-g++';
const objdump = 'aarch64-linux-gnu-objdump';
const binutils = { [objdump]: 'Debian package binutils-aarch64-linux-gnu' };

/** Compilers by name: what is missing, the command, and the sources as this compiler takes them. */
const compilers = {
  'g++': {
    missing: () =>
      missingPrograms({
        [gcc]: 'Debian package g++-aarch64-linux-gnu',
        ...binutils,
        cmake: 'Debian package cmake',
      }),
    command: () => [gcc],
    sources: (kernels) => kernels,
  },
  // for Linux, since objdump reads no files of macOS; the compiler makes the same loops
  zig: {
    missing: () => missingForZig(binutils),
    command: () => zigCompiler(root, 'aarch64-linux-musl'),
    sources: sourcesForZig,
  },
};

async function check({ command, sources }) {
  const { kernels } = readSources(root, { processor: 'aarch64', system: 'LINUX' });
  const neon = sources(kernels.filter(({ file }) => /table_neon\w*\.cpp$/.test(file)));
  const work = mkdtempSync(join(tmpdir(), 'infcl-neon-'));
  try {
    const objects = await compileSources({ root, work, compiler: command(), sources: neon });
    return neon.flatMap(({ file }, at) => {
      const text = capture(objdump, ['--disassemble', '--demangle', '--no-show-raw-insn', objects[at]]);
      const { rows, complaints } = examine(text);
      console.log(file);
      console.table(rows);
      return complaints.map((complaint) => `${file}: ${complaint}`);
    });
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function main([name, ...rest]) {
  if (!Object.hasOwn(compilers, name ?? '') || rest.length > 0) {
    console.error(`usage: node scripts/binaries/neon-loops.mjs ${Object.keys(compilers).join(' | ')}`);
    return 2;
  }
  const missing = compilers[name].missing();
  if (missing.length > 0) {
    console.log(`NOT CHECKED: machine code of the NEON kernels: this machine lacks ${missing.join('; ')}`);
    return 77; // scripts/verify.mjs: the part could not check anything
  }
  const complaints = await check(compilers[name]);
  for (const complaint of complaints) console.error(`neon-loops: ${complaint}`);
  if (complaints.length === 0) console.log('every loop keeps its sums in registers');
  return complaints.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`neon-loops: ${error.message}`);
    process.exitCode = 1;
  }
}
