/**
 * Makes the folder from which the package is published: `npm run stage`. The folder holds exactly what users get, with
 * a package.json of its own. `node scripts/stage.mjs --help` prints the usage.
 *
 * Exit status: 0 where the folder was made, 1 where something is missing, 2 for a wrong command line.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiledFiles, linkedPages, prebuiltFiles, sourceFiles } from './package/contents.mjs';
import { makeManifest } from './package/manifest.mjs';
import { makeNotices } from './package/notices.mjs';
import { rewriteLinks } from './package/pages.mjs';
import { readPublisher } from './package/publisher.mjs';
import { makeSbom } from './package/sbom.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const usage = `usage: node scripts/stage.mjs [options]

  --out DIR        the folder to make, by default build-package; an older one is replaced
  --prebuilds DIR  the binaries to ship, by default prebuilds, where npm run build:binaries puts them
  --publisher FILE by default scripts/package/publisher.json, which a maintainer fills
  --no-build       take the TypeScript as it was compiled before
  --help           print this text`;

function refuse(text) {
  console.error(`stage: ${text}\n\n${usage}`);
  process.exit(2);
}

function readCommandLine() {
  const options = {
    out: { type: 'string', default: join(root, 'build-package') },
    prebuilds: { type: 'string', default: join(root, 'prebuilds') },
    publisher: { type: 'string', default: join(root, 'scripts', 'package', 'publisher.json') },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** A folder that this script made before, or an empty one: others are never deleted. */
function refuseForeignFolder(out) {
  if (!existsSync(out) || readdirSync(out).length === 0) return;
  if (existsSync(join(out, 'sbom.cdx.json')) && !existsSync(join(out, 'scripts'))) return;
  refuse(`--out ${out} is not empty, and was not made by this script`);
}

function compile() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), 'ts'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the TypeScript could not be compiled, see above');
}

function copyTo(out, pairs) {
  for (const [from, to] of pairs) {
    mkdirSync(dirname(join(out, to)), { recursive: true });
    copyFileSync(from, join(out, to));
  }
}

function writePages(out, publisher) {
  const pages = linkedPages(root);
  const shipped = new Set([...pages, 'LICENSE']);
  for (const page of pages) {
    mkdirSync(dirname(join(out, page)), { recursive: true });
    const text = readFileSync(join(root, page), 'utf8');
    const isText = page.endsWith('.md');
    const rewritten = isText ? rewriteLinks(page, text, (path) => shipped.has(path), publisher.pages) : text;
    writeFileSync(join(out, page), rewritten);
  }
}

function stage({ out, prebuilds, publisher: file, ...rest }) {
  const { publisher, empty } = readPublisher(resolve(file));
  const manifest = makeManifest(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')), publisher);
  const binaries = prebuiltFiles(resolve(prebuilds));
  if (!rest['no-build']) compile();
  const compiled = compiledFiles(root);
  if (compiled.length === 0)
    throw new Error('dist is empty: leave out --no-build, or run "npm run build:ts"');
  rmSync(out, { recursive: true, force: true });
  copyTo(out, [
    ...compiled.map((name) => [join(root, 'dist', name), `dist/${name}`]),
    ...binaries.map((name) => [join(resolve(prebuilds), name), `prebuilds/${name}`]),
    ...sourceFiles(root).map((name) => [join(root, name), `source/${name}`]),
    [join(root, 'bin', 'infcl.js'), 'bin/infcl.js'],
    ...['data', 'distributed', 'evaluation', 'jax', 'mpi', 'onnx', 'tfjs'].map((name) => [
      join(root, name, 'package.json'),
      `${name}/package.json`,
    ]),
    [join(root, 'LICENSE'), 'LICENSE'],
  ]);
  writePages(out, publisher);
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(out, 'THIRD_PARTY_NOTICES'), makeNotices(binaries));
  writeFileSync(join(out, 'sbom.cdx.json'), makeSbom(root, manifest));
  console.log(`stage: ${out}: ${manifest.name} ${manifest.version}`);
  for (const name of binaries) console.log(`stage: with prebuilds/${name}`);
  if (binaries.length === 0) console.log(`stage: WITHOUT BINARIES: ${prebuilds} has none`);
  for (const line of empty) console.log(`stage: left out, since ${line} (${relative(root, resolve(file))})`);
}

const values = readCommandLine();
if (values.help) {
  console.log(usage);
} else {
  const out = resolve(values.out);
  if (!existsSync(values.publisher)) refuse(`--publisher ${values.publisher} does not exist`);
  refuseForeignFolder(out);
  try {
    stage({ ...values, out });
  } catch (error) {
    console.error(`stage: ${error.message}`);
    process.exitCode = 1;
  }
}
