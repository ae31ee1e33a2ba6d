/**
 * An empty project of a user, outside of this checkout: installs the packed file and tools of exact versions, runs
 * programs without a compiler on PATH, and says what went wrong where a program fails.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** What a package manager and a shell script may need. A compiler, make and Python are not among them. */
const plainPrograms = [
  'sh',
  'bash',
  'env',
  'node',
  'npm',
  'npx',
  'uname',
  'ldd',
  'tar',
  'gzip',
  'cat',
  'ls',
  'dirname',
  'sed',
  'basename',
];

function find(program) {
  const places = process.env.PATH.split(delimiter).map((folder) => join(folder, program));
  return places.find((place) => existsSync(place));
}

export class Project {
  #folders = [];

  /** `tarball`: the packed file of infcl. */
  constructor(tarball) {
    this.tarball = tarball;
    this.folder = this.newFolder();
    this.bin = this.newFolder();
    for (const program of plainPrograms) {
      const place = find(program);
      if (place) symlinkSync(realpathSync(place), join(this.bin, program));
    }
    this.write('package.json', JSON.stringify({ name: 'a-user', version: '1.0.0', private: true }));
  }

  newFolder() {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-consumer-')));
    this.#folders.push(folder);
    return folder;
  }

  write(name, text) {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Installs infcl and these packages as npm does for a user who forbids scripts. */
  install(...packages) {
    this.run(
      'npm',
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--save-exact',
      this.tarball,
      ...packages,
    );
  }

  /** Runs a program in the project; returns status and output together. */
  try([program, ...args], { env = {}, cwd = this.folder, compilers = false } = {}) {
    const path = compilers ? process.env.PATH : this.bin;
    const own = { NODE_OPTIONS: '', INFCL_ISA: '', NODE_PATH: '', PREBUILDS_ONLY: '', LIBC: '', ...env };
    const rest = Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(registry|cafile|nodedir))/.test(name),
    );
    const all = {
      ...Object.fromEntries(rest),
      PATH: `${join(this.folder, 'node_modules', '.bin')}${delimiter}${path}`,
      ...own,
    };
    const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
      cwd,
      env: all,
      encoding: 'utf8',
      timeout: 240_000,
    });
    const output = `${stdout ?? ''}${stderr ?? ''}${error ? error.message : ''}`;
    return { status: status ?? signal ?? 'not started', output };
  }

  /** As `try`; throws where the program fails. */
  run(...command) {
    return this.runWith({}, ...command);
  }

  runWith(options, ...command) {
    const { status, output } = this.try(command, options);
    if (status !== 0) throw new Error(`"${command.join(' ')}" ended with ${status}:\n${output}`);
    return output;
  }

  /** Runs a program that must print `text`. */
  expectOutput(text, ...command) {
    const output = this.run(...command);
    if (!output.includes(text))
      throw new Error(`"${command.join(' ')}" did not print "${text}" but:\n${output}`);
  }

  /** Runs a program that must fail with `text` in its output. */
  expectRefusal(text, command, options) {
    const { status, output } = this.try(command, options);
    if (status === 0) throw new Error(`"${command.join(' ')}" did not fail:\n${output}`);
    if (!output.includes(text))
      throw new Error(`"${command.join(' ')}" did not say "${text}" but:\n${output}`);
  }

  remove() {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}
