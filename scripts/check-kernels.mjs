/**
 * What can be known of the CUDA kernels without a GPU: assembles every cuda/kernels/*.cu for every target and fails
 * on spills, stack, too many registers and notes of ptxas about performance; counts instructions in the machine code,
 * so that tensor-core kernels are seen to use tensor cores; and looks at their order (kernel-gates.mjs). Needs nvcc and ptxas (or NVCC, PTXAS).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlFlow, opcodesOf } from './cubin.mjs';
import { barrierFaults, foldFaults, gradientFaults } from './kernel-gates.mjs';

const kernels = fileURLToPath(new URL('../cuda/kernels/', import.meta.url));
const csrc = fileURLToPath(new URL('../csrc', import.meta.url));
const targets = ['80', '86', '89', '90a', '100', '120'];
const isHopper = (name) => /_sm90(_kernel|\.cu)$/.test(name);
const targetsOf = (file) => (isHopper(file) ? ['90a'] : targets);
const nvcc = process.env.NVCC ?? 'nvcc';
const ptxas = process.env.PTXAS ?? 'ptxas';

/**
 * Kernels that multiply matrices must have HMMA, LDSM and LDGSTS; two blocks share a multiprocessor's 64 K registers.
 * Those of Hopper have HGMMA and UTMALDG, alone and multicast, instead, and 168 registers a thread, which warpgroups pass on to each other.
 */
const multiplies = /^(scores|accumulate)_/;
const needed = (kernel) =>
  isHopper(kernel) ? ['HGMMA', 'UTMALDG', 'MULTICAST'] : ['HMMA', 'LDSM', 'LDGSTS'];
const forbidden = (kernel) => (isHopper(kernel) ? ['LDL', 'STL', 'HMMA'] : ['LDL', 'STL']);
function registerCap(kernel) {
  if (isHopper(kernel)) return 168;
  return /_general_/.test(kernel) ? 255 : 128;
}

function compile(source, out) {
  const architecture = isHopper(source) ? 'compute_90a' : 'compute_80';
  const flags = ['-O3', '-std=c++17', `-arch=${architecture}`, `-I${csrc}`, '-ptx', '-lineinfo'];
  execFileSync(nvcc, [...flags, '-o', out, source], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What `ptxas -v` says of each kernel, and everything else that it has to say. */
function assemble(ptx, target, out) {
  const run = spawnSync(ptxas, ['-v', `-arch=sm_${target}`, ptx, '-o', out], { encoding: 'utf8' });
  if (run.error) throw run.error;
  const text = run.stdout + run.stderr;
  if (run.status !== 0) throw new Error(`ptxas for sm_${target}: ${text}`);
  const notes = text.split('\n').filter((line) => /warning|advisory|\(C\d+\)|Potential/i.test(line));
  const found = [];
  for (const part of text.split('Compiling entry function ').slice(1)) {
    const number = (pattern) => Number(part.match(pattern)?.[1] ?? Number.NaN);
    found.push({
      kernel: part.match(/^'(\w+)'/)[1],
      registers: number(/Used (\d+) registers/),
      stack: number(/(\d+) bytes stack frame/),
      spills: number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/),
    });
  }
  return { found, notes };
}

function countsOf(opcodes) {
  const counts = { all: opcodes.length };
  for (const opcode of opcodes) if (opcode) counts[opcode] = (counts[opcode] ?? 0) + 1;
  return counts;
}

function orderFaults({ kernel, opcodes, flow }) {
  const list = [];
  if (isHopper(kernel)) list.push(...barrierFaults(flow));
  if (/^accumulate_/.test(kernel)) list.push(...gradientFaults(opcodes));
  if (/^(reduce|sum_tiles)_kernel$/.test(kernel)) list.push(...foldFaults(opcodes));
  return list;
}

/** Complaints about one kernel on one target. NaN, where a pattern did not match, fails every comparison. */
function faults(row) {
  const { kernel, registers, stack, spills, counts } = row;
  const count = (name) => counts?.[name] ?? 0;
  const list = [];
  if (!(registers <= registerCap(kernel))) list.push(`${registers} registers, cap ${registerCap(kernel)}`);
  if (stack !== 0) list.push(`${stack} bytes of stack`);
  if (spills !== 0) list.push(`${spills} bytes of spills`);
  if (counts) list.push(...orderFaults(row));
  else list.push('no machine code found');
  for (const name of forbidden(kernel)) if (count(name) > 0) list.push(`${count(name)} ${name}`);
  for (const name of needed(kernel))
    if (multiplies.test(kernel) && count(name) === 0) list.push(`no ${name}`);
  return list;
}

const dir = mkdtempSync(join(tmpdir(), 'check-kernels-'));
const rows = [];
const errors = [];
try {
  for (const file of readdirSync(kernels).filter((name) => name.endsWith('.cu'))) {
    const name = basename(file, '.cu');
    const ptx = join(dir, `${name}.ptx`);
    compile(join(kernels, file), ptx);
    for (const target of targetsOf(file)) {
      const cubin = join(dir, `${name}.${target}.cubin`);
      const { found, notes } = assemble(ptx, target, cubin);
      if (found.length === 0) errors.push(`${file} sm_${target}: no kernels`);
      for (const note of notes) errors.push(`${file} sm_${target}: ${note}`);
      const code = readFileSync(cubin);
      const opcodes = opcodesOf(code);
      const flows = isHopper(file) ? controlFlow(code) : new Map();
      for (const row of found) {
        const own = opcodes.get(row.kernel);
        const counts = own && countsOf(own);
        rows.push({ ...row, target, opcodes: own, counts, flow: flows.get(row.kernel) });
      }
    }
  }
} finally {
  rmSync(dir, { recursive: true });
}
for (const row of rows)
  for (const fault of faults(row)) errors.push(`${row.kernel} sm_${row.target}: ${fault}`);

const registersOf = (kernel, target) =>
  rows.find((row) => row.kernel === kernel && row.target === target)?.registers ?? '';
const names = [...new Set(rows.map((row) => row.kernel))].sort();
const shown = ['HMMA', 'LDSM', 'LDGSTS', 'MUFU', 'SHFL', 'BAR', 'LDL', 'STL'];
const shownOfHopper = ['HGMMA', 'UTMALDG', 'MULTICAST', 'HMMA', 'MUFU', 'SHFL', 'BAR', 'LDL', 'STL'];
const line = (cells) => cells.map((cell, i) => (i ? String(cell).padStart(10) : cell.padEnd(44))).join('');
console.log(line(['registers', ...targets.map((target) => `sm_${target}`)]));
for (const kernel of names)
  console.log(line([kernel, ...targets.map((target) => registersOf(kernel, target))]));
console.log(`\n${line(['instructions, sm_80', 'all', ...shown])}`);
for (const { kernel, counts } of rows.filter((row) => row.target === '80' && row.counts))
  console.log(line([kernel, counts.all, ...shown.map((name) => counts[name] ?? 0)]));

console.log(`\n${line(['instructions, sm_90a', 'all', ...shownOfHopper])}`);
for (const { kernel, counts } of rows.filter((row) => isHopper(row.kernel) && row.counts))
  console.log(line([kernel, counts.all, ...shownOfHopper.map((name) => counts[name] ?? 0)]));

if (errors.length > 0 || rows.length === 0) {
  console.error(`\n${errors.join('\n') || 'no kernels found'}`);
  process.exit(1);
}
console.log(`\nkernels: ${names.length} on ${targets.length} targets`);
