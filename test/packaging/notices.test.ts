/** The third-party notices of a package name the code of others that is within its binaries, and no other code. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const script = path.resolve(__dirname, '..', '..', 'scripts', 'package', 'notices.mjs');

/** The notices for these binaries. Jest itself loads no ES modules. */
function noticesFor(binaries: string[]): string {
  const program = `import { makeNotices } from '${pathToFileURL(script).href}';
    process.stdout.write(makeNotices(JSON.parse(process.argv[1])));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(binaries)], {
    encoding: 'utf8',
  });
}

/** A sentence of each notice. */
const sentences = {
  nodeAddonApi: /^node-addon-api [\d.]+: headers that are compiled in\.$/m,
  nodeApiHeaders: /^node-api-headers [\d.]+: headers that are compiled in\.$/m,
  gcc: /^GCC RUNTIME LIBRARY EXCEPTION$/m,
  nvidia: /^Device functions of the CUDA Toolkit: /m,
  llvm: /with the LLVM exceptions:$/m,
  zig: /^Copyright \(c\) Zig contributors$/m,
  mingw: /^The run-time library of mingw-w64: /m,
};
type Name = keyof typeof sentences;
const always: Name[] = ['nodeAddonApi', 'nodeApiHeaders'];

test.each<[string[], Name[]]>([
  [['linux-x64/infcl.glibc.node'], ['gcc', 'nvidia']],
  [['linux-arm64/infcl.glibc.node'], ['gcc', 'nvidia']],
  [['linux-x64/infcl.musl.node'], ['gcc', 'llvm', 'zig']],
  [['linux-arm64/infcl.musl.node'], ['gcc', 'llvm', 'zig']],
  [['win32-x64/infcl.node'], ['gcc', 'mingw']],
  [['darwin-arm64/infcl.node'], ['llvm', 'zig']],
  [
    ['win32-x64/infcl.node', 'darwin-arm64/infcl.node'],
    ['gcc', 'llvm', 'zig', 'mingw'],
  ],
])('%j', (binaries, expected) => {
  const text = noticesFor(binaries);
  const found = Object.entries(sentences).flatMap(([name, sentence]) => (sentence.test(text) ? [name] : []));
  expect(found.sort()).toEqual([...always, ...expected].sort());
  for (const binary of binaries) expect(text).toContain(binary);
});
