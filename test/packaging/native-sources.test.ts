/** The two native builds list the same sources and flags: CMake's list is the truth, binding.gyp must repeat it. */
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

/** `set(NAME a b c)` blocks of sources.cmake. */
function cmakeList(name: string): string[] {
  const text = readFileSync(join(root, 'sources.cmake'), 'utf8').replace(/#.*$/gm, '');
  const lists: Lists = {};
  for (const [, key, body] of text.matchAll(/set\((\w+)\s([^)]*)\)/g))
    lists[key!] = body!.trim().split(/\s+/);
  return expand(lists, lists[name]!, /^\$\{(\w+)\}$/);
}

/** binding.gyp is JSON with comments. */
function gypList(name: string): string[] {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  const lists: Lists = JSON.parse(text).variables;
  return expand(lists, lists[name]!, /^<@\((\w+)\)$/);
}

const pairs = [
  ['INFCL_CORE_SOURCES', 'core_sources'],
  ['INFCL_NO_CUDA_SOURCES', 'no_cuda_sources'],
  ['INFCL_AVX2_SOURCES', 'avx2_sources'],
  ['INFCL_AVX512_SOURCES', 'avx512_sources'],
  ['INFCL_AVX2_FLAGS', 'avx2_flags'],
  ['INFCL_AVX512_FLAGS', 'avx512_flags'],
  ['INFCL_AVX512BF16_SOURCES', 'avx512bf16_sources'],
  ['INFCL_AVX512BF16_FLAGS', 'avx512bf16_flags'],
] as const;

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

test.each(['INFCL_AVX2_FLAGS', 'INFCL_AVX512_FLAGS', 'INFCL_AVX512BF16_FLAGS'])(
  'the processor is asked for every feature of %s',
  (list) => {
    const rows = featureRows();
    const features = cmakeList(list)
      .filter((flag) => flag.startsWith('-m') && !flag.startsWith('-mprefer-vector-width='))
      .map((flag) => flag.slice('-m'.length));
    expect(features.length).toBeGreaterThan(0);
    // a flag without a row is a feature that nobody asks for: SIGILL where a processor lacks it
    expect(features.filter((name) => !rows.has(name))).toEqual([]);
  },
);

test('each row of the features has the macro that its flag defines', () => {
  const rows = [...featureRows()];
  expect(rows.length).toBeGreaterThan(10);
  for (const [name, macro] of rows) expect(macro).toBe(`__${name.toUpperCase().replace('.', '_')}__`);
});

test('every C++ file of the library folders is in a list', () => {
  const listed = [...pairs.map(([name]) => name), 'INFCL_CUDA_SOURCES']
    .filter((name) => name.endsWith('_SOURCES'))
    .flatMap((name) => cmakeList(name))
    .sort();
  const present = ['csrc/core', 'csrc/cpu', 'cuda']
    .flatMap((dir) =>
      readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' }).map((file) => `${dir}/${file}`),
    )
    .filter((file) => file.endsWith('.cpp'))
    .sort();
  expect(listed).toEqual(present);
});

test('node-gyp builds the stand-in for CUDA and nothing else of it', () => {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  expect(text.match(/cuda\/[\w.]+/g)).toEqual(['cuda/no_cuda.cpp']);
});
