/**
 * The public surface of the package as a text, lib/api-report.txt, so that a change of the surface shows in a diff:
 *
 *     node scripts/api-report.mjs           # compares, and says how the surface differs
 *     node scripts/api-report.mjs --write   # writes the report anew
 *
 * Reads the compiled declarations in dist: run "npm run build:ts" first. The report has every exported name with its
 * declaration, without comments, and the declarations of the package's own that these mention.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ts = createRequire(import.meta.url)('typescript');
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const reportFile = join(root, 'lib', 'api-report.txt');
const entries = {
  infcl: 'dist/index.d.ts',
  'infcl/data': 'dist/data/index.d.ts',
  'infcl/distributed': 'dist/distributed/index.d.ts',
  'infcl/evaluation': 'dist/evaluation/index.d.ts',
  'infcl/jax': 'dist/adapters/jax.d.ts',
  'infcl/mpi': 'dist/distributed/mpi.d.ts',
  'infcl/onnx': 'dist/adapters/onnx.d.ts',
  'infcl/tfjs': 'dist/adapters/tfjs.d.ts',
};

const usage = `usage: node scripts/api-report.mjs [--write]

  --write  write lib/api-report.txt anew; without it, compare`;

function fail(text, status) {
  console.error(`api-report: ${text}`);
  process.exit(status);
}

function makeProgram() {
  const files = Object.values(entries).map((file) => join(root, file));
  const missing = files.find((file) => !existsSync(file));
  if (missing) fail(`${relative(root, missing)} is missing: run "npm run build:ts" first`, 1);
  const options = {
    module: ts.ModuleKind.Node16,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    skipLibCheck: true,
  };
  return ts.createProgram(files, { ...options, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'] });
}

/** A name that is imported or exported again stands for the thing that bears it. */
const thingOf = (checker, symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** Declarations in the package's own files. A type parameter or a member is part of the declaration around it. */
function ownDeclarations(symbol) {
  const own = (symbol.declarations ?? []).filter((node) =>
    node.getSourceFile().fileName.startsWith(join(root, 'dist')),
  );
  return own
    .map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node))
    .filter((node) => ts.isSourceFile(node.parent));
}

const printer = ts.createPrinter({ removeComments: true });
const print = (node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());

/** Things of the package that a declaration mentions. */
function mentionedIn(checker, node) {
  const found = new Set();
  const visit = (part) => {
    if (ts.isIdentifier(part)) {
      const symbol = checker.getSymbolAtLocation(part);
      if (symbol) found.add(thingOf(checker, symbol));
    }
    ts.forEachChild(part, visit);
  };
  visit(node);
  return [...found].filter((symbol) => ownDeclarations(symbol).length > 0);
}

/**
 * One section: the exported names in order, then what their declarations mention besides. `described` collects
 * what the report has, so that a thing of an earlier section is not described again.
 */
function describeEntry(program, [name, file], described) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, file)));
  const byName = (a, b) => (a.name < b.name ? -1 : 1);
  const exported = checker
    .getExportsOfModule(module)
    .sort(byName)
    .map((symbol) => thingOf(checker, symbol));
  const seen = [...exported];
  for (const symbol of seen) {
    for (const declaration of ownDeclarations(symbol)) {
      seen.push(...mentionedIn(checker, declaration).filter((other) => !seen.includes(other)));
    }
  }
  const text = (symbols) => symbols.flatMap(ownDeclarations).map(print).join('\n\n');
  const hidden = seen
    .slice(exported.length)
    .filter((symbol) => !described.has(symbol))
    .sort(byName);
  for (const symbol of seen) described.add(symbol);
  const mentioned = hidden.length > 0 ? `\n## Not exported, but mentioned\n\n${text(hidden)}\n` : '';
  return `# ${name}\n\n${text(exported)}\n${mentioned}`;
}

function makeReport() {
  const program = makeProgram();
  const described = new Set();
  const head =
    'Written by "npm run api -- --write". A test fails where this text differs from the declarations in lib.\n';
  return [head, ...Object.entries(entries).map((entry) => describeEntry(program, entry, described))].join(
    '\n',
  );
}

/** Lines that `text` has more often than `other`: a line such as "rows: number;" belongs to several types. */
function linesBeyond(text, other) {
  const left = new Map();
  for (const line of other.split('\n')) left.set(line, (left.get(line) ?? 0) + 1);
  return text.split('\n').filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0 && line.trim();
  });
}

const [option, ...more] = process.argv.slice(2);
if (more.length > 0 || (option !== undefined && option !== '--write')) fail(`unknown option\n\n${usage}`, 2);
const report = makeReport();
if (option === '--write') {
  writeFileSync(reportFile, report);
  console.log(`api-report: wrote ${relative(root, reportFile)}`);
} else {
  const old = existsSync(reportFile) ? readFileSync(reportFile, 'utf8') : '';
  if (old !== report) {
    const differences = [
      ...linesBeyond(old, report).map((l) => `- ${l}`),
      ...linesBeyond(report, old).map((l) => `+ ${l}`),
    ];
    fail(
      `the public surface has changed:\n${differences.join('\n')}\nIf that is meant, run "npm run build:ts" and "npm run api -- --write"`,
      1,
    );
  }
  console.log('api-report: the public surface is the one of lib/api-report.txt');
}
