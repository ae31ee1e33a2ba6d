/**
 * Compiles programs of strict users: TypeScript as an ES module of Node, which imports the built package by
 * its name, with every option on that refuses more.
 */
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '..', '..');

export const strictOptions: ts.CompilerOptions = {
  strict: true,
  // Node takes types out of a program, and nothing else: it refuses enums and properties in parameters
  erasableSyntaxOnly: true,
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

/**
 * The compiler's errors, one line each, for programs given by name and for infcl's own declarations. Programs
 * find the packages of the folder.
 */
export function compile(programs: Record<string, string>, folder = 'docs'): string[] {
  const sources = new Map(Object.entries(programs).map(([name, text]) => [join(root, folder, name), text]));
  const host = ts.createCompilerHost(strictOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...sources.keys()], strictOptions, host);
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
