/**
 * The two native builds list the same sources and flags: binding.gyp must repeat the lists of sources.cmake. Both
 * builds and the program know the same instruction sets.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

type Lists = Record<string, string[]>;

/** Replaces references to other lists by their entries. */
function expand(lists: Lists, entries: string[], reference: RegExp): string[] {
  return entries.flatMap((entry) => {
    const name = reference.exec(entry)?.[1];
    return name === undefined ? [entry] : expand(lists, lists[name]!, reference);
  });
}

const cmakeSources = readFileSync(join(root, 'sources.cmake'), 'utf8').replace(/#.*$/gm, '');

/** Entries of a `set(NAME a b c)` block of sources.cmake. */
function cmakeList(name: string): string[] {
  const lists: Lists = {};
  for (const [, key, body] of cmakeSources.matchAll(/set\((\w+)\s([^)]*)\)/g))
    lists[key!] = body!.trim().split(/\s+/);
  return expand(lists, lists[name]!, /^\$\{(\w+)\}$/);
}

/** binding.gyp is JSON with comments. */
function gypList(name: string): string[] {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  const lists: Lists = JSON.parse(text).variables;
  return expand(lists, lists[name]!, /^<@\((\w+)\)$/);
}

/** Instruction sets beyond the scalar fallback, of every processor family. */
const isas = [...cmakeSources.matchAll(/set\(INFCL_ISAS ([^)]*)\)/g)].flatMap(([, names]) =>
  names!.trim().split(/\s+/),
);

/** Processor families, with the system where the way to ask a processor differs between systems. */
const families = ['X64', 'ARM64_LINUX', 'ARM64_DARWIN', 'ARM64_WINDOWS', 'OTHER'];

const systems = ['LINUX', 'WINDOWS', 'DARWIN'];

const pairs: [string, string][] = [
  ['INFCL_CORE_SOURCES', 'core_sources'],
  ['INFCL_CORE_FLAGS', 'core_flags'],
  ['INFCL_NO_CUDA_SOURCES', 'no_cuda_sources'],
  ...systems.flatMap((system): [string, string][] => [
    [`INFCL_${system}_SOURCES`, `${system.toLowerCase()}_sources`],
    [`INFCL_${system}_BINDING_SOURCES`, `${system.toLowerCase()}_binding_sources`],
    [`INFCL_${system}_NO_CUDA_SOURCES`, `${system.toLowerCase()}_no_cuda_sources`],
  ]),
  ...[...families, ...isas].map((name): [string, string] => [
    `INFCL_${name}_SOURCES`,
    `${name.toLowerCase()}_sources`,
  ]),
  ...isas.map((isa): [string, string] => [`INFCL_${isa}_FLAGS`, `${isa.toLowerCase()}_flags`]),
];

test.each(pairs)('%s equals %s of binding.gyp', (cmake, gyp) => {
  const expected = cmakeList(cmake);
  expect(expected.length).toBeGreaterThan(0);
  expect(gypList(gyp)).toEqual(expected);
});

/** Rows of the table in csrc/cpu/cpu_features.h: by name, the macro that stands beside it. */
function featureRows(): Map<string, string> {
  const text = readFileSync(join(root, 'csrc/cpu/cpu_features.h'), 'utf8');
  return new Map(
    [...text.matchAll(/X\(k\w+, "([\w.]+)", (\w+)\)/g)].map(([, name, macro]) => [name!, macro!]),
  );
}

/** The program finds no kernels that are missing in its list; a build does not link without those it lists. */
test('the list of kernel tables has the instruction sets of the build', () => {
  const text = readFileSync(join(root, 'csrc/cpu/kernels/table.h'), 'utf8');
  const tables = [...text.matchAll(/\bX\(k(\w+)Kernels\)/g)].map(([, name]) => name!.toUpperCase());
  expect(isas.length).toBeGreaterThan(0);
  expect(new Set(tables)).toEqual(new Set(['SCALAR', ...isas]));
});

/** node-gyp links the instruction sets one by one. */
test.each(isas)('binding.gyp has a target for %s', (isa) => {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  const name = `infcl_${isa.toLowerCase()}`;
  const { targets } = JSON.parse(text) as { targets: { target_name: string; dependencies?: string[] }[] };
  expect(targets.map((target) => target.target_name)).toContain(name);
  expect(targets[0]!.dependencies).toContain(name);
});

/** What a version of the arm64 architecture adds to the first one, as the compiler names it. */
const architectures: Record<string, string[]> = { 'armv8.2-a': ['crc', 'lse', 'rdma'] };

/** Names of the features that a flag lets the compiler use. */
function featuresOf(flag: string): string[] {
  const [architecture, ...extensions] = /^-march=(.*)/.exec(flag)?.[1]?.split('+') ?? [];
  if (architecture !== undefined) return [...architectures[architecture]!, ...extensions];
  return /^-m(?!prefer-vector-width=)/.test(flag) ? [flag.slice('-m'.length)] : [];
}

/** All but NEON, which every arm64 processor has. */
test.each(isas.filter((isa) => isa !== 'NEON'))('the processor is asked for every feature of %s', (isa) => {
  const rows = featureRows();
  const features = cmakeList(`INFCL_${isa}_FLAGS`).flatMap(featuresOf);
  expect(features.length).toBeGreaterThan(0);
  // The dispatcher does not ask for a feature without a row: SIGILL where a processor lacks the feature.
  expect(features.filter((name) => !rows.has(name))).toEqual([]);
});

test('the kernels of NEON need no feature', () => {
  expect(cmakeList('INFCL_NEON_FLAGS').flatMap(featuresOf)).toEqual([]);
});

/** Macros of arm64, as Arm's C Language Extensions name them. */
const armMacros: Record<string, string> = {
  crc: '__ARM_FEATURE_CRC32',
  lse: '__ARM_FEATURE_ATOMICS',
  rdma: '__ARM_FEATURE_QRDMX',
  bf16: '__ARM_FEATURE_BF16_VECTOR_ARITHMETIC',
};

test('each row of the features has the macro that its flag defines', () => {
  const rows = [...featureRows()];
  expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining([...Object.keys(armMacros), 'avx2']));
  for (const [name, macro] of rows)
    expect(macro).toBe(armMacros[name] ?? `__${name.toUpperCase().replace('.', '_')}__`);
});

test('every C++ file of the library folders is in a list', () => {
  const lists = [...pairs.map(([name]) => name), 'INFCL_CUDA_SOURCES', 'INFCL_MUSL_NO_CUDA_SOURCES'];
  const files = lists.filter((name) => name.endsWith('_SOURCES')).flatMap((name) => cmakeList(name));
  const listed = [...new Set(files)].sort(); // two systems may share a file
  const cppFiles = (dir: string) =>
    readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
      .map((file) => `${dir}/${file}`)
      .filter((file) => file.endsWith('.cpp'));
  // of the binding, the files for some systems; the builds take all others
  const systemFiles = cppFiles('csrc/binding').filter((file) => /_(posix|win32)\.cpp$/.test(file));
  expect(systemFiles.length).toBeGreaterThan(0);
  const present = [
    ...['csrc/comm', 'csrc/core', 'csrc/cpu', 'csrc/store', 'cuda'].flatMap(cppFiles),
    ...systemFiles,
  ].sort();
  expect(listed).toEqual(present);
});

test('node-gyp builds the stand-in for CUDA and nothing else of it', () => {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  expect(text.match(/cuda\/[\w.]+/g)).toEqual([
    'cuda/no_cuda.cpp',
    'cuda/no_cuda_linux.cpp',
    'cuda/no_cuda_win32.cpp',
    'cuda/no_cuda_darwin.cpp',
  ]);
});

/** A list that no condition names would leave a system without its files: node-gyp would not say so before the link. */
test.each(systems)('binding.gyp takes the lists of %s', (system) => {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  const name = system.toLowerCase();
  expect(text).toContain(`"<@(${name}_sources)", "<@(${name}_no_cuda_sources)"`);
  expect(text).toContain(`"<@(${name}_binding_sources)"`);
});

test.each(families)('binding.gyp takes the list of %s', (family) => {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  expect(text).toContain(`{ "sources": ["<@(${family.toLowerCase()}_sources)"] }`);
});
