/**
 * The package as a user has it, copied to a folder of its own: the compiled TypeScript, package.json and the
 * dependency, without an addon. Tests add a binary that is wrong in one way, and call the package in a new process.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');

/** The addon of this checkout. */
export const addonFile = join(root, 'build', 'Release', 'infcl.node');

/** Variables that change what is loaded, whatever the caller of the tests has set. */
const neutral = {
  NODE_OPTIONS: '',
  INFCL_ISA: '',
  INFCL_PREBUILD: '',
  PREBUILDS_ONLY: '',
  LIBC: '',
  npm_config_arch: '',
  npm_config_platform: '',
};

interface Run {
  /** Options of Node. */
  node?: string[];
  env?: Record<string, string>;
}

export class PackageCopy {
  /** Without symbolic links, since messages name real paths. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-copy-')));

  constructor() {
    for (const name of ['bin', 'dist', 'package.json', 'node_modules/node-gyp-build']) {
      cpSync(join(root, name), join(this.folder, name), { recursive: true });
    }
  }

  write(name: string, content: string | Buffer): void {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  delete(name: string): void {
    rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  /** Runs a script in the copy, and parses what the script prints. */
  run(script: string, { node = [], env = {} }: Run = {}): unknown {
    const all = { ...process.env, ...neutral, ...env };
    const file = join(this.folder, 'script.cjs');
    writeFileSync(file, script);
    const options = { cwd: this.folder, encoding: 'utf8', env: all } as const;
    return JSON.parse(execFileSync(process.execPath, ['--no-warnings', ...node, file], options));
  }

  /** Runs the command `infcl` of the copy. */
  infcl(args: string[], { node = [], env = {} }: Run = {}) {
    const all = { ...process.env, ...neutral, ...env };
    const words = ['--no-warnings', ...node, join(this.folder, 'bin', 'infcl.js'), ...args];
    return spawnSync(process.execPath, words, { cwd: this.folder, encoding: 'utf8', env: all });
  }

  /** Message and code of what `plan` throws, which loads the addon; null where `plan` works. */
  failure(run?: Run): { code: string; message: string } | null {
    const script = `
      const { plan } = require('./dist/index.js');
      let failure = null;
      try { plan({ queries: 1, dim: 1 }); } catch ({ code, message }) { failure = { code, message }; }
      console.log(JSON.stringify(failure));`;
    return this.run(script, run) as { code: string; message: string } | null;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
