/**
 * A binary as a user has it: an empty folder with the package, and nothing of the clone. Runs test/binaries/compute.cjs
 * there by any runtime, and compares the results of two runs.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BuildError } from './command.mjs';

/**
 * Makes an empty folder, installs the package with the addon `file` alone, and calls `use` with the folder. The folder is
 * then removed. `file` is a path below the root: a binary, or the in-tree build.
 */
export function withInstalled(root, file, use) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-installed-')));
  try {
    const copied = ['package.json', 'dist', file];
    const loader = dirname(createRequire(join(root, 'package.json')).resolve('node-gyp-build/package.json'));
    for (const name of copied) {
      const to = join(folder, 'node_modules', 'infcl', name);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(root, name), to, { recursive: true });
    }
    cpSync(loader, join(folder, 'node_modules', 'node-gyp-build'), { recursive: true });
    cpSync(join(root, 'test', 'binaries', 'compute.cjs'), join(folder, 'compute.cjs'));
    return use(folder);
  } catch (error) {
    if (error.code === 'ENOENT') throw new BuildError(`${error.path} is missing: build it first`);
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The results of compute.cjs by a runtime: `command` is a program and its first arguments. The program gets no PATH, so
 * it can use no compiler. Fails where another addon than the installed one was loaded.
 */
export function compute(folder, command, env = {}) {
  const [program, ...args] = command;
  const answer = join(folder, 'answer.json');
  rmSync(answer, { force: true });
  // Node under wine cannot write to a pipe.
  const log = join(folder, 'output.txt');
  const output = openSync(log, 'w');
  const { status, signal, error } = spawnSync(program, [...args, 'compute.cjs', 'answer.json'], {
    cwd: folder,
    env: { PATH: '/nowhere', ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  process.stdout.write(readFileSync(log));
  if (error) throw new BuildError(`${program} does not start: ${error.message}`);
  if (status !== 0) throw new BuildError(`${command.join(' ')} compute.cjs ended with ${signal ?? status}`);
  const found = JSON.parse(readFileSync(answer, 'utf8'));
  const strange = found.addons.length !== 1 || !isInstalled(folder, found.addons[0]);
  if (strange)
    throw new BuildError(`expected one addon in ${folder}, but loaded: ${found.addons.join(', ')}`);
  return found;
}

/** wine names a file by a drive and backslashes. */
const isInstalled = (folder, addon) => addon.replaceAll('\\', '/').includes(`${folder}/node_modules/infcl/`);

/**
 * Places where two runs of compute.cjs differ, one line each. A run must agree with itself as well: calls of a worker
 * thread and asynchronous calls give the bits of the first case. `sameNumber` compares the bits of two float64 numbers.
 */
export function differences(expected, found, sameNumber = (a, b) => a === b) {
  const lines = [];
  const compare = (place, left, right) => {
    if (left?.isa !== right.isa) lines.push(`${place}: ran on ${right.isa}, expected ${left?.isa}`);
    for (const name of Object.keys({ ...left?.numbers, ...right.numbers })) {
      const [a, b] = [left?.numbers[name], right.numbers[name]];
      if (!a || !b || !sameNumber(a, b)) lines.push(`${place}: ${name} is ${b}, expected ${a}`);
    }
    for (const name of Object.keys({ ...left?.hashes, ...right.hashes })) {
      if (left?.hashes[name] !== right.hashes[name]) lines.push(`${place}: other bits in ${name}`);
    }
  };
  if (found.cases.length !== expected.cases.length) lines.push('another number of cases');
  found.cases.forEach((one, at) => {
    compare(one.name, expected.cases[at], one);
  });
  for (const one of [found.async, ...found.workers]) compare('an asynchronous call', found.cases[0], one);
  return lines;
}

/** Instruction sets by their name in INFCL_ISA, with what Linux calls the flag of the processor. */
const isas = { scalar: 'fpu', avx2: 'avx2', avx512: 'avx512bw' };

/** Environments that force each instruction set of this x64 processor. Says which ones the processor lacks. */
export function isaSettings() {
  const [line] = readFileSync('/proc/cpuinfo', 'utf8').match(/^flags\s*:.*$/m);
  const flags = line.split(/\s+/);
  for (const [isa, flag] of Object.entries(isas)) {
    if (!flags.includes(flag)) console.log(`NOT CHECKED: ${isa}: this processor has no ${flag}`);
  }
  return Object.entries(isas).flatMap(([isa, flag]) => (flags.includes(flag) ? [{ INFCL_ISA: isa }] : []));
}
