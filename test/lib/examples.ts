/** Examples of the documentation: the fences of code in a page, and a process that runs one. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { strictOptions } from './compile';

const root = join(__dirname, '..', '..');

/** A piece of code in a page, as a fence in it. */
export interface Example {
  /** Page and line. */
  where: string;
  language: 'js' | 'ts';
  code: string;
}

/** Every example of a page of the project, in order. */
export function examplesOf(page: string): Example[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(({ index, 1: language, 2: code }) => ({
    where: `${page}:${text.slice(0, index).split('\n').length}`,
    language: language as Example['language'],
    code: code!,
  }));
}

/** TypeScript without its types, as an ES module: what Node runs. */
export function withoutTypes(code: string): string {
  const compilerOptions = { ...strictOptions, verbatimModuleSyntax: true };
  return ts.transpileModule(code, { compilerOptions, fileName: 'example.mts' }).outputText;
}

/** The output of the code. By default it runs inside the package, where it can import the package by name. */
export async function outputOf(code: string, folder = root): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } };
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], options)).stdout;
}

/** The losses of an output with lines such as "step 5: loss 1.234". */
export function lossesIn(output: string): number[] {
  return [...output.matchAll(/^step \d+: loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
}
