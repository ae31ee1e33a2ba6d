/**
 * Runs one file of children/ in a process of its own, so that a crash is a failed assertion with its stderr and never a
 * dead Jest. Knows nothing of what the child does; every child prints one line of JSON last.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const registerTypescript = join(__dirname, '..', 'child', 'register-typescript.cjs');

export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ChildOptions {
  nodeOptions?: string[];
  env?: NodeJS.ProcessEnv;
}

export function runChild(file: string, argument: unknown, options: ChildOptions = {}): Promise<ChildEnd> {
  const { nodeOptions = [], env = {} } = options;
  const args = [...nodeOptions, '-r', registerTypescript, join(__dirname, 'children', file)];
  const child = spawn(process.execPath, [...args, JSON.stringify(argument)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end: ChildEnd = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    end.stdout += text;
  });
  child.stderr.on('data', (text) => {
    end.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...end, code, signal }));
  });
}

/** What the child said, once it has ended as it should. */
export async function answerOf<T>(file: string, argument: unknown, options?: ChildOptions): Promise<T> {
  const { code, signal, stdout, stderr } = await runChild(file, argument, options);
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? code}\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').pop()!) as T;
}

/** Rounds of a test that repeats itself: its own number, times INFCL_LIFECYCLE_FACTOR for a longer run. */
export function rounds(count: number): number {
  return count * Number(process.env.INFCL_LIFECYCLE_FACTOR ?? 1);
}
