/**
 * Packs the staging folder, unpacks the packed file, and holds it to the gates of gates.mjs: `npm run pack:check`. What
 * is checked is the very file that would be published. `--help` prints the usage.
 *
 * Exit status: 0 where every gate holds, 1 where one does not, 2 for a wrong command line.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { filesBelow } from './contents.mjs';
import { binaryHashes, checkPackage } from './gates.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

const usage = `usage: node scripts/package/pack-check.mjs [options]

  --stage DIR      the staging folder, by default build-package; npm run stage makes it
  --tested DIR     the binaries that were tested, by default prebuilds
  --into DIR       where to leave the packed file, by default build-tarball
  --max-mb NUMBER  the most that the unpacked package may have, by default 10
  --help           print this text`;

function refuse(text) {
  console.error(`pack:check: ${text}\n\n${usage}`);
  process.exit(2);
}

function readCommandLine() {
  const options = {
    stage: { type: 'string', default: join(root, 'build-package') },
    tested: { type: 'string', default: join(root, 'prebuilds') },
    into: { type: 'string', default: join(root, 'build-tarball') },
    'max-mb': { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    refuse(error.message);
  }
  if (values.help) return values;
  if (!(Number(values['max-mb']) > 0)) refuse(`--max-mb is ${values['max-mb']}, expected a number above 0`);
  if (!existsSync(join(values.stage, 'package.json'))) {
    refuse(`--stage ${values.stage} has no package.json: run "npm run stage" first`);
  }
  return values;
}

function run(program, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) {
    console.error(`pack:check: ${program} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
    process.exit(1);
  }
  return stdout;
}

/** Returns the packed file. */
function pack(stage, into) {
  mkdirSync(into, { recursive: true });
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--offline', '--pack-destination', into], stage),
  );
  return join(into, filename);
}

const values = readCommandLine();
if (values.help) {
  console.log(usage);
} else {
  const tarball = pack(resolve(values.stage), resolve(values.into));
  const unpacked = mkdtempSync(join(tmpdir(), 'infcl-pack-'));
  try {
    run('tar', ['-xzf', tarball, '-C', unpacked]);
    const folder = join(unpacked, 'package');
    const complaints = checkPackage(folder, resolve(values.tested), Number(values['max-mb']));
    const files = filesBelow(folder);
    const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    console.log(
      `pack:check: ${tarball}: ${statSync(tarball).size} bytes, unpacked ${bytes} bytes in ${files.length} files`,
    );
    for (const line of binaryHashes(folder)) console.log(`pack:check: ${line}`);
    for (const line of complaints) console.error(`pack:check: ${line}`);
    process.exitCode = complaints.length > 0 ? 1 : 0;
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}
