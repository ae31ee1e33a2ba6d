/**
 * A small git checkout in a temporary folder, with suites of its own for scripts/verify.mjs, so that tests of the script
 * take seconds.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '..', '..', 'scripts', 'verify.mjs');

export const hasGit = spawnSync('git', ['--version']).status === 0;

/** Two suites of which each part writes its name to a file, so that runs can be counted. */
export const twoSuites = `[
  { name: 'first', proves: 'One holds.', parts: () => [
    { name: 'a', command: sh('echo a >> runs.log') },
    { name: 'b', command: sh('echo b >> runs.log') } ] },
  { name: 'second', proves: 'Two holds.', parts: () => [{ name: 'c', command: sh('echo c >> runs.log') }] },
]`;

/** A suite of these parts; `more` are other properties. */
export const oneSuite = (parts: string, more = '') =>
  `[{ name: 'only', proves: 'It holds.', ${more} parts: ({ commit, gate }) => [${parts}] }]`;

/** Git would take another repository than the one in the current folder from these. */
function environment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !name.startsWith('GIT_'));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

export class FakeCheckout {
  readonly root = mkdtempSync(join(tmpdir(), 'infcl-verify-'));

  /** `suites`: the text of an array. Shell commands of parts are written `sh('...')`. */
  constructor(suites: string) {
    mkdirSync(join(this.root, 'docs'));
    this.write('.gitignore', 'build-*/\n*.log\n');
    this.define(suites);
    if (!hasGit) return;
    this.git('init', '--quiet');
    this.commit();
  }

  define(suites: string): void {
    const sh = "const sh = (command) => ['bash', '-c', command];";
    this.write('suites.mjs', `${sh}\nexport const suites = ${suites};\n`);
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.root, file), text);
  }

  /** Text of a file, or '' where there is none. */
  read(file: string): string {
    const path = join(this.root, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  private git(...args: string[]): string {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
    const options = { cwd: this.root, env: environment(), encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync('git', [...who, ...args], options);
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** Commits everything and returns the hash. */
  commit(message = 'x'): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  delete(file: string): void {
    rmSync(join(this.root, file), { recursive: true, force: true });
  }

  private args(words: string[]): string[] {
    return [script, '--root', this.root, '--suites', join(this.root, 'suites.mjs'), ...words];
  }

  verify(...words: string[]): SpawnSyncReturns<string> {
    // a script that never ends is a failed test with exit status null
    const options = { env: environment(), encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const;
    return spawnSync(process.execPath, this.args(words), options);
  }

  /** Starts the script, sends the signal as soon as `file` exists, and returns the exit status. */
  async interrupt(file: string, signal: NodeJS.Signals, ...words: string[]): Promise<number | null> {
    const child = spawn(process.execPath, this.args(words), { env: environment(), stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await this.waitFor(() => existsSync(join(this.root, file)));
    child.kill(signal);
    return ended;
  }

  async waitFor(condition: () => boolean): Promise<void> {
    const end = Date.now() + 20_000;
    while (!condition()) {
      if (Date.now() > end) throw new Error('waited for 20 s in vain');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Ends what a failing test would leave behind. */
export function endProcess(pid: number): void {
  if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** Whether a process runs; one that has ended but was not waited for does not count. */
export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
