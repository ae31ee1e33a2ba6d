/**
 * Makes one script of the compiled files of `client/`, for a page that fetches nothing: files in order,
 * without their imports and exports. Refuses files whose imports or exports have another form than the
 * compiler writes here.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Each file after those that it imports. Top-level names must be unique among them. */
const files = [
  'text-tokens.js',
  'text-encoder.js',
  'packed-block.js',
  'page-data.js',
  'search.js',
  'page.js',
];

/**
 * @param read From the name of a compiled file to its text.
 * @param names Files of another page than that of the icons.
 */
export function inlineScript(
  read: (name: string) => string = readCompiled,
  names: readonly string[] = files,
): string {
  const script = names.map((name) => withoutModules(read(name), name)).join('\n');
  if (/<\/script/i.test(script)) throw new Error('Expected a script without "</script" but found one');
  return script;
}

function withoutModules(text: string, name: string): string {
  const plain = text
    .replace(/^import [^;']*'[^']*';$/gm, '')
    .replace(/^export (?=(async )?(function|const|class) )/gm, '')
    .replace(/^export \{\};$/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '');
  const left = /^\s*(import|export)\b.*$/m.exec(plain);
  if (left !== null) throw new Error(`Cannot inline ${name}: found "${left[0]}"`);
  return plain;
}

function readCompiled(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../client/${name}`, import.meta.url)), 'utf8');
}
