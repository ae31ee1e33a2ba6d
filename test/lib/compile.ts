/**
 * Compiles programs of strict users: TypeScript as an ES module of Node, which imports the built package by its name, with
 * every option on that refuses more.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '..', '..');

const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  noEmit: true,
};

/** What the compiler says of programs given by name, and of infcl's own declarations: one line per error. */
export function compile(programs: Record<string, string>): string[] {
  const sources = new Map(Object.entries(programs).map(([name, text]) => [join(root, 'docs', name), text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => sources.has(fileName) || fileName.startsWith(join(root, 'dist')));
  return [
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map(describe);
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const text = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (file === undefined) return text;
  const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
  return `${file.fileName.slice(root.length + 1)}:${line + 1}: ${text}`;
}

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
  const compilerOptions = { ...options, verbatimModuleSyntax: true };
  return ts.transpileModule(code, { compilerOptions, fileName: 'example.mts' }).outputText;
}
