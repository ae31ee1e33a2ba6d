/**
 * Runs one file of this folder, from source, in a process of its own that a test can send signals to. Knows nothing of
 * what the child does.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const hooks = [
  join(__dirname, '..', '..', '..', 'test', 'child', 'register-typescript.cjs'),
  join(__dirname, 'register-sources.cjs'),
];

export interface SourceChild {
  process: ChildProcess;
  /** Resolves when the child has printed the text; rejects when it ends before. */
  printed(text: string): Promise<void>;
  end: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** Children still running, for a test that failed before its child ended. */
const running = new Set<ChildProcess>();

export function endSources(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function runSource(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): SourceChild {
  const requires = hooks.flatMap((hook) => ['-r', hook]);
  // the package is one of ES modules, and as the main file a source would be taken for one
  const start = `require(${JSON.stringify(join(__dirname, file))})`;
  const child = spawn(process.execPath, [...requires, '-e', start, '--', ...args], {
    env: { ...process.env, ...env },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const end = new Promise<Awaited<SourceChild['end']>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  const waiting: (() => void)[] = [];
  child.stdout.on('data', (text) => {
    stdout += text;
    for (const look of waiting) look();
  });
  const printed = (wanted: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => stdout.includes(wanted) && resolve();
      waiting.push(look);
      look();
      void end.then(() => reject(new Error(`no ${wanted} in:\n${stdout}\n${stderr}`)));
    });
  return { process: child, printed, end };
}
