/**
 * What the package consists of: which files of the repository are copied, and which files a package may have at all.
 * The first list makes the staging folder; the second one checks the packed file, so a mistake in either shows.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { targetsOf } from './pages.mjs';

/** Paths below `folder`, sorted, with `/`. Missing folders have none. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((file) => file.slice(folder.length + 1).replaceAll('\\', '/'))
    .sort();
}

/** README.md and, from there on, the pages and pictures in docs/ that it links. */
export function linkedPages(root) {
  const found = ['README.md'];
  for (const page of found) {
    if (!page.endsWith('.md')) continue;
    const targets = targetsOf(page, readFileSync(join(root, page), 'utf8'));
    for (const target of targets) {
      if (/^docs\/[^/]+\.(md|svg)$/.test(target) && !found.includes(target)) found.push(target);
    }
  }
  return found;
}

/** Compiled files. One whose source is gone stems from an earlier build, and is left out. */
export function compiledFiles(root) {
  const sources = new Set(filesBelow(join(root, 'lib')).map((file) => file.replace(/\.ts$/, '')));
  return filesBelow(join(root, 'dist')).filter((file) => sources.has(file.replace(/(\.d)?\.m?[jt]s$/, '')));
}

/** What node-gyp compiles, for `source/`. CUDA kernels need another compiler, and so are not among them. */
export function sourceFiles(root) {
  const code = filesBelow(join(root, 'csrc')).map((file) => `csrc/${file}`);
  const noCuda = readdirSync(join(root, 'cuda')).filter((name) => /^no_cuda\w*\.(cpp|h)$/.test(name));
  return ['binding.gyp', ...code, ...noCuda.map((name) => `cuda/${name}`)];
}

const isPrebuilt = /^prebuilds\/(linux|win32|darwin)-(x64|arm64)\/infcl(\.(glibc|musl))?\.node$/;

/** The binaries of a folder `prebuilds`, as `linux-x64/infcl.glibc.node`. Throws on any other file. */
export function prebuiltFiles(folder) {
  const files = filesBelow(folder);
  const wrong = files.filter((file) => !isPrebuilt.test(`prebuilds/${file}`));
  if (wrong.length > 0) {
    throw new Error(
      `${folder} has ${wrong.join(', ')}; expected <platform>-<arch>/infcl[.glibc|.musl].node only`,
    );
  }
  return files;
}

/** Files without which the package is broken. */
export const needed = [
  'package.json',
  'README.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES',
  'sbom.cdx.json',
  'dist/index.js',
  'dist/index.mjs',
  'dist/index.d.ts',
  'dist/index.d.mts',
  'dist/data/index.js',
  'dist/distributed/index.js',
  'dist/evaluation/index.js',
  'dist/adapters/jax.js',
  'dist/distributed/mpi.js',
  'bin/infcl.js',
  'dist/doctor/command.js',
  'dist/adapters/onnx.js',
  'dist/adapters/tfjs.js',
  'data/package.json',
  'distributed/package.json',
  'evaluation/package.json',
  'jax/package.json',
  'mpi/package.json',
  'onnx/package.json',
  'tfjs/package.json',
  'docs/installing.md',
  'docs/troubleshooting.md',
  'source/binding.gyp',
  'source/cuda/no_cuda.cpp',
];

/** Forms of file that a package may have. */
export const allowed = [
  /^(package\.json|README\.md|LICENSE|THIRD_PARTY_NOTICES|sbom\.cdx\.json)$/,
  /^dist\/([\w-]+\/)*[\w-]+(\.js|\.mjs|\.d\.ts|\.d\.mts)$/,
  /^bin\/infcl\.js$/,
  /^(data|distributed|evaluation|jax|mpi|onnx|tfjs)\/package\.json$/,
  /^docs\/[\w-]+\.(md|svg)$/,
  /^source\/binding\.gyp$/,
  /^source\/csrc\/([\w-]+\/)*[\w-]+\.(cpp|h)$/,
  /^source\/cuda\/no_cuda\w*\.(cpp|h)$/,
  isPrebuilt,
];
