/**
 * The list of what the package depends on (SBOM, in the form CycloneDX), made by `npm sbom`. npm reads a lockfile, which
 * is made here from the repository's own, so that nothing is asked of a registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The entries of the repository's lockfile that an installed package brings. */
function dependenciesOf(manifest, lock) {
  const names = Object.keys(manifest.dependencies ?? {});
  const found = {};
  for (const name of names) {
    const place = `node_modules/${name}`;
    const entry = lock.packages[place];
    if (!entry) throw new Error(`package-lock.json has no ${name}: run "npm install"`);
    found[place] = entry;
    names.push(...Object.keys(entry.dependencies ?? {}).filter((more) => !names.includes(more)));
  }
  return found;
}

export function makeSbom(root, manifest) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { name, version, license, dependencies } = manifest;
  const own = { name, version, license, dependencies };
  const packages = { '': own, ...dependenciesOf(manifest, lock) };
  const parent = mkdtempSync(join(tmpdir(), 'infcl-sbom-'));
  // npm takes the name of the folder for the name of the package
  const folder = join(parent, name);
  mkdirSync(folder);
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({ name, version, lockfileVersion: 3, packages }),
    );
    const args = [
      'sbom',
      '--package-lock-only',
      '--offline',
      '--sbom-format',
      'cyclonedx',
      '--sbom-type',
      'library',
    ];
    const { status, stdout, stderr } = spawnSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      shell: false,
    });
    if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`);
    return stdout;
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
