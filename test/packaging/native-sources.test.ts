/** The two native builds list the same sources and flags: CMake's list is the truth, binding.gyp must repeat it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** `set(NAME a b c)` blocks of sources.cmake. */
function cmakeLists(): Record<string, string[]> {
  const text = readFileSync(join(root, 'sources.cmake'), 'utf8').replace(/#.*$/gm, '');
  const lists: Record<string, string[]> = {};
  for (const [, name, body] of text.matchAll(/set\((\w+)\s([^)]*)\)/g)) lists[name!] = body!.trim().split(/\s+/);
  return lists;
}

/** binding.gyp is JSON with comments. */
function gypVariables(): Record<string, string[]> {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  return JSON.parse(text).variables;
}

const pairs = [
  ['INFCL_CORE_SOURCES', 'core_sources'],
  ['INFCL_AVX2_SOURCES', 'avx2_sources'],
  ['INFCL_AVX512_SOURCES', 'avx512_sources'],
  ['INFCL_AVX2_FLAGS', 'avx2_flags'],
  ['INFCL_AVX512_FLAGS', 'avx512_flags'],
] as const;

test.each(pairs)('%s equals %s of binding.gyp', (cmake, gyp) => {
  const expected = cmakeLists()[cmake];
  expect(expected!.length).toBeGreaterThan(0);
  expect(gypVariables()[gyp]).toEqual(expected);
});

test('every C++ file of the library folders is in the list', () => {
  const listed = Object.entries(cmakeLists())
    .filter(([name]) => name.endsWith('_SOURCES'))
    .flatMap(([, files]) => files)
    .sort();
  const present = ['csrc/core', 'csrc/comm', 'csrc/cpu', 'cuda']
    .flatMap((dir) => readdirSync(join(root, dir)).map((file) => `${dir}/${file}`))
    .filter((file) => file.endsWith('.cpp'))
    .sort();
  expect(listed).toEqual(present);
});
