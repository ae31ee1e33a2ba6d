/**
 * Holds the imports of every source file against the table of rooms in docs/architecture.md: who may know whom.
 * A file outside every room, and an import that the table does not allow, are errors.
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
    may: ['lib', 'lib/errors', 'lib/trainer'],
    packages: ['@jax-js/jax'],
  },
  { name: 'lib/trainer', match: /^lib\/trainer\//, may: ['lib', 'lib/errors'], packages: [] },
  // index.ts alone may name the trainer, because it is where public names are gathered.
  { name: 'lib/index', match: /^lib\/index\.ts$/, may: ['lib', 'lib/errors', 'lib/trainer'], packages: [] },
  { name: 'lib', match: /^lib\/[^/]+\.ts$/, may: ['lib/native', 'lib/errors'], packages: [] },
  { name: 'csrc/core', match: /^csrc\/core\//, may: [] },
  { name: 'csrc/cpu', match: /^csrc\/cpu\//, may: ['csrc/core'] },
  { name: 'csrc/comm', match: /^csrc\/comm\//, may: ['csrc/core'] },
  { name: 'cuda', match: /^cuda\//, may: ['csrc/core'] },
  { name: 'csrc/binding', match: /^csrc\/binding\//, may: ['csrc/core'], system: ['napi.h'] },
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
    else
      found.push({
        spec,
        file: `${relative(root, resolve(root, dirname(file), spec)).replace(/\.js$/, '')}.ts`,
      });
  }
  return found;
}

/**
 * Quoted includes are project files: beside the one that includes, or below csrc or the root. Angled ones are the
 * standard library unless listed here.
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

const errors = [];
let checked = 0;
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
  checked += 1;
}

if (errors.length > 0 || checked === 0) {
  console.error(errors.join('\n') || 'no files found');
  process.exit(1);
}
console.log(`layers: ${checked} files keep to their rooms`);
