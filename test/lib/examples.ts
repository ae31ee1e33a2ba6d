/** Examples of the documentation: the code between ```js and ``` of a page, and a process that runs it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '..', '..');

/** All examples of a page, in order. `page` is relative to the repository. */
export function examplesOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
}

/** What the code prints. It runs inside the package, where it can import the package by name. */
export async function outputOf(code: string): Promise<string> {
  const options = { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } };
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], options)).stdout;
}
