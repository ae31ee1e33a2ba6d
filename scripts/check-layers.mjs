/**
 * Holds the imports of every source file against the table of rooms in docs/architecture.md: who may know
 * whom. A file outside every room, an import that the table does not allow, and files that import each other
 * in a circle are errors.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** First match wins. `may` lists rooms; a room may always use itself. */
const rooms = [
  { name: 'lib/errors', match: /^lib\/errors\.ts$/, may: [] },
  { name: 'lib/native', match: /^lib\/native\//, may: ['lib/errors'], packages: ['node-gyp-build'] },
  {
    name: 'lib/adapters/jax',
    match: /^lib\/adapters\/jax\b/,
    may: ['lib', 'lib/errors', 'lib/loss', 'lib/matrix', 'lib/trainer'],
    packages: ['@jax-js/jax'],
  },
  {
    name: 'lib/adapters/onnx',
    match: /^lib\/adapters\/onnx\b/,
    may: ['lib', 'lib/errors', 'lib/loss', 'lib/matrix', 'lib/trainer'],
    packages: ['onnxruntime-node'],
  },
  {
    name: 'lib/adapters/tfjs',
    match: /^lib\/adapters\/tfjs\b/,
    may: ['lib', 'lib/errors', 'lib/loss', 'lib/matrix', 'lib/trainer'],
    packages: ['@tensorflow/tfjs'],
  },
  {
    name: 'lib/trainer',
    match: /^lib\/trainer\//,
    may: ['lib', 'lib/errors', 'lib/group', 'lib/loss', 'lib/matrix', 'lib/store'],
    packages: [],
  },
  {
    name: 'lib/evaluation',
    match: /^lib\/evaluation\//,
    may: ['lib', 'lib/errors', 'lib/group', 'lib/loss', 'lib/matrix', 'lib/native'],
    packages: [],
  },
  {
    name: 'lib/group',
    match: /^lib\/group\//,
    may: ['lib', 'lib/errors', 'lib/matrix', 'lib/native'],
    packages: [],
  },
  // csv-parse is an argument of its caller
  {
    name: 'lib/data',
    match: /^lib\/data\//,
    may: ['lib', 'lib/errors', 'lib/loss', 'lib/trainer'],
    packages: [],
  },
  {
    name: 'lib/distributed',
    match: /^lib\/distributed\//,
    may: ['lib', 'lib/errors', 'lib/group', 'lib/native'],
    packages: [],
  },
  {
    name: 'lib/store',
    match: /^lib\/store\//,
    may: ['lib', 'lib/errors', 'lib/matrix', 'lib/native'],
    packages: [],
  },
  // index.ts gathers the public names of every room.
  {
    name: 'lib/index',
    match: /^lib\/index\.ts$/,
    may: ['lib', 'lib/errors', 'lib/evaluation', 'lib/loss', 'lib/matrix', 'lib/store', 'lib/trainer'],
    packages: [],
  },
  {
    name: 'lib/loss',
    match: /^lib\/loss\//,
    may: ['lib', 'lib/errors', 'lib/group', 'lib/matrix', 'lib/native', 'lib/store'],
    packages: [],
  },
  {
    name: 'lib/doctor',
    match: /^lib\/doctor\//,
    may: ['lib', 'lib/errors', 'lib/evaluation', 'lib/loss', 'lib/matrix', 'lib/native'],
    packages: [],
  },
  {
    name: 'lib/matrix',
    match: /^lib\/matrix\//,
    may: ['lib', 'lib/errors', 'lib/native'],
    packages: [],
  },
  { name: 'lib', match: /^lib\/[^/]+\.ts$/, may: ['lib/native', 'lib/errors'], packages: [] },
  { name: 'csrc/core', match: /^csrc\/core\//, may: [] },
  {
    name: 'csrc/cpu/kernels/table',
    match: /^csrc\/cpu\/kernels\/table\.h$/,
    may: ['csrc/core', 'csrc/cpu/features'],
  },
  {
    name: 'csrc/cpu/kernels',
    match: /^csrc\/cpu\/kernels\//,
    may: ['csrc/core', 'csrc/cpu/kernels/table', 'csrc/cpu/features'],
  },
  { name: 'csrc/cpu/features', match: /^csrc\/cpu\/cpu_features\.h$/, may: [] },
  // The backend may include only the table of the kernels: the other files are compiled once per
  // instruction set.
  {
    name: 'csrc/cpu',
    match: /^csrc\/cpu\//,
    may: ['csrc/core', 'csrc/cpu/kernels/table', 'csrc/cpu/features'],
  },
  { name: 'cuda', match: /^cuda\//, may: ['csrc/core'] },
  { name: 'csrc/comm/mpi', match: /^csrc\/comm\/mpi\//, may: ['csrc/core'] },
  { name: 'csrc/comm', match: /^csrc\/comm\//, may: ['csrc/core'] },
  { name: 'csrc/store', match: /^csrc\/store\//, may: ['csrc/core'] },
  { name: 'csrc/comm', match: /^csrc\/comm\//, may: ['csrc/core'] },
  {
    name: 'csrc/binding',
    match: /^csrc\/binding\//,
    may: ['csrc/comm', 'csrc/comm/mpi', 'csrc/core', 'csrc/store'],
    system: ['napi.h'],
  },
];

const roomOf = (file) => rooms.find((room) => room.match.test(file));

function filesBelow(dir) {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Import targets of a TypeScript file: project paths, or bare package names. */
function typescriptImports(file, text) {
  const found = [];
  for (const [, spec] of text.matchAll(/(?:from|import|require)\s*\(?\s*'([^']+)'/g)) {
    if (spec.startsWith('node:')) continue;
    if (!spec.startsWith('.')) found.push({ spec, package: spec });
    else {
      const path = relative(root, resolve(root, dirname(file), spec)).replace(/\.js$/, '');
      // the name of a folder stands for its index
      found.push({ spec, file: existsSync(join(root, `${path}.ts`)) ? `${path}.ts` : `${path}/index.ts` });
    }
  }
  return found;
}

/**
 * Quoted includes are project files: beside the one that includes, or below csrc or the root. Angled ones are
 * the standard library unless listed here.
 */
function cppIncludes(file, text) {
  const found = [];
  for (const [, spec] of text.matchAll(/^\s*#include "([^"]+)"/gm)) {
    const places = [`${dirname(file)}/${spec}`, spec, `csrc/${spec}`];
    found.push({ spec, file: places.find((place) => existsSync(join(root, place))) ?? `csrc/${spec}` });
  }
  for (const [, spec] of text.matchAll(/^\s*#include <((?:napi|node|uv|v8|mpi|cuda|nccl)[\w/.]*)>/gm))
    found.push({ spec, system: spec });
  return found;
}

function complaint(room, target) {
  if (target.package) return room.packages?.includes(target.package) ? null : `package ${target.package}`;
  if (target.system) return room.system?.includes(target.system) ? null : `<${target.system}>`;
  const other = roomOf(target.file);
  if (!other) return `${target.spec}, which is in no room`;
  return other === room || room.may.includes(other.name) ? null : other.name;
}

/**
 * The first circle found by following imports from file to file, as its files in order; null where there
 * is none.
 */
function findCircle(imports) {
  const done = new Set();
  const follow = (file, path) => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const target of imports.get(file) ?? []) {
      const circle = follow(target, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = follow(file, []);
    if (circle) return circle;
  }
  return null;
}

const errors = [];
/** The project files that each file imports. */
const imports = new Map();
for (const file of ['lib', 'csrc', 'cuda']
  .flatMap(filesBelow)
  .filter((f) => /\.(ts|h|cpp|cu|cuh)$/.test(f))) {
  const room = roomOf(file);
  if (!room) {
    errors.push(`${file}: belongs to no room`);
    continue;
  }
  const text = readFileSync(join(root, file), 'utf8');
  const targets = file.endsWith('.ts') ? typescriptImports(file, text) : cppIncludes(file, text);
  for (const target of targets) {
    const bad = complaint(room, target);
    if (bad) errors.push(`${file}: ${room.name} may not use ${bad}`);
  }
  imports.set(
    file,
    targets.flatMap((target) => target.file ?? []),
  );
}
const circle = findCircle(imports);
if (circle) errors.push(`files import each other in a circle: ${circle.join(' -> ')}`);

if (errors.length > 0 || imports.size === 0) {
  console.error(errors.join('\n') || 'no files found');
  process.exit(1);
}
console.log(`layers: ${imports.size} files keep to their rooms, and none imports itself through others`);
