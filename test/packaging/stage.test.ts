/**
 * The package that users get, made from this checkout with its own addon as the prebuilt binary: staged, packed, held to
 * the gates, unpacked into an empty project, and called there. Each gate also gets a package that it must refuse.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const glibc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header
  .glibcVersionRuntime;
const binary = `${process.platform}-${process.arch}/infcl.${glibc ? 'glibc' : 'musl'}.node`;
const addon = join(root, 'build', 'Release', 'infcl.node');
/** The addon of a checkout has its symbols, and perhaps kernels that are not compressed. */
const megabytes = String(Math.ceil(statSync(addon).size / 1e6) + 5);

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-stage-')));
const [stage, tested, into, publisher] = ['stage', 'tested', 'into', 'publisher.json'].map((name) =>
  join(folder, name),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(file: string, ...args: string[]) {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return spawnSync(process.execPath, [join(root, 'scripts', file), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
}
const makeStage = (...args: string[]) =>
  script(
    'stage.mjs',
    '--no-build',
    '--out',
    stage!,
    '--prebuilds',
    tested!,
    '--publisher',
    publisher!,
    ...args,
  );
const checkPack = (limit = megabytes) =>
  script(
    'package/pack-check.mjs',
    '--stage',
    stage!,
    '--tested',
    tested!,
    '--into',
    into!,
    '--max-mb',
    limit,
  );
const manifest = () => JSON.parse(readFileSync(join(stage!, 'package.json'), 'utf8'));
const write = (file: string, text: string) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
const nobody = { author: '', repository: '', homepage: '', bugs: '', pages: '' };
const somebody = {
  author: 'A. Maintainer',
  repository: 'https://example.org/infcl.git',
  homepage: 'https://example.org/infcl#readme',
  bugs: 'https://example.org/infcl/issues',
  pages: 'https://example.org/infcl/blob/main',
};

/** One package for all tests, and a fresh copy for each. */
const original = join(folder, 'original');
beforeAll(() => {
  mkdirSync(join(tested!, dirname(binary)), { recursive: true });
  cpSync(addon, join(tested!, binary));
  write(publisher!, JSON.stringify(somebody));
  const { status, stderr } = makeStage('--out', original);
  expect([status, stderr]).toEqual([0, '']);
});
beforeEach(() => {
  write(publisher!, JSON.stringify(somebody));
  rmSync(stage!, { recursive: true, force: true });
  cpSync(original, stage!, { recursive: true });
});

it('passes the gates, and works from an empty project without a script', () => {
  const { status, stdout, stderr } = checkPack();
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^pack:check: [0-9a-f]{64} {2}prebuilds/${binary}$`, 'm'));
  const [, tarball] = /^pack:check: (.*\.tgz): \d+ bytes/m.exec(stdout)!;
  const project = join(folder, 'project');
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'infcl'), { recursive: true });
  // what npm does, without its network: the dependency comes from the checkout
  spawnSync('tar', ['-xzf', tarball!, '--strip-components=1', '-C', join(modules, 'infcl')]);
  cpSync(join(root, 'node_modules', 'node-gyp-build'), join(modules, 'node-gyp-build'), { recursive: true });
  write(
    join(project, 'use.mjs'),
    `import { contrastiveLossSync } from 'infcl';
     import { jaxEncoder } from 'infcl/jax';
     const one = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };
     console.log(contrastiveLossSync(one, one, { logitScale: 1 }).loss.toFixed(6), typeof jaxEncoder);`,
  );
  const run = spawnSync(process.execPath, ['use.mjs'], { cwd: project, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe(`${Math.log1p(Math.exp(-1)).toFixed(6)} function\n`);
  // as npm links the command: node_modules/.bin/infcl, which the system starts by its first line
  const command = join(modules, 'infcl', 'bin', 'infcl.js');
  expect(statSync(command).mode & 0o111).not.toBe(0);
  mkdirSync(join(modules, '.bin'));
  symlinkSync(command, join(modules, '.bin', 'infcl'));
  const doctor = spawnSync(join(modules, '.bin', 'infcl'), ['doctor', '--json'], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', INFCL_ISA: '' },
  });
  expect([doctor.stderr, doctor.status]).toEqual(['', 0]);
  expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true, addon: { origin: 'prebuilt' } });
});

describe('package.json', () => {
  it('has no scripts and nothing for development, and the addresses of the publisher', () => {
    const { author, repository, homepage, bugs, ...rest } = manifest();
    expect({ author, repository, homepage, bugs }).toEqual({
      author: somebody.author,
      repository: { type: 'git', url: somebody.repository },
      homepage: somebody.homepage,
      bugs: { url: somebody.bugs },
    });
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((name) => [name, own[name]])));
    for (const name of ['scripts', 'workspaces', 'devDependencies', 'private', 'files'])
      expect(rest).not.toHaveProperty(name);
  });

  it('has no address that nobody filled in, and stage says which', () => {
    write(publisher!, JSON.stringify(nobody));
    const { status, stdout } = makeStage();
    expect(status).toBe(0);
    for (const name of Object.keys(nobody)) expect(stdout).toContain(`${name} is empty: `);
    for (const name of Object.keys(nobody)) expect(manifest()).not.toHaveProperty(name);
  });
});

describe('pages', () => {
  it('link the repository where the package lacks a file', () => {
    expect(readFileSync(join(stage!, 'docs', 'cuda.md'), 'utf8')).toContain(
      '](https://example.org/infcl/blob/main/emulator/README.md)',
    );
  });

  it('name the file where no address is known', () => {
    write(publisher!, JSON.stringify(nobody));
    makeStage();
    const page = readFileSync(join(stage!, 'docs', 'cuda.md'), 'utf8');
    expect(page).toContain('(`emulator/README.md` in the repository)');
    expect(page).not.toContain('](../emulator');
  });
});

it('notices name the libraries that the compiler of a binary links', () => {
  const notices = () => readFileSync(join(stage!, 'THIRD_PARTY_NOTICES'), 'utf8');
  expect(notices()).toContain('node-addon-api');
  expect(notices()).toContain(glibc ? 'GCC RUNTIME LIBRARY EXCEPTION' : 'LLVM exceptions');
  expect(notices()).not.toContain('mingw');
  write(join(tested!, 'win32-x64', 'infcl.node'), 'a binary');
  makeStage();
  expect(notices()).toContain('mingw-w64');
  rmSync(join(tested!, 'win32-x64'), { recursive: true });
});

it('the list of dependencies has those of package.json', () => {
  const { metadata, components } = JSON.parse(readFileSync(join(stage!, 'sbom.cdx.json'), 'utf8'));
  expect(metadata.component).toMatchObject({ name: 'infcl', version: manifest().version });
  expect(components.map(({ name }: { name: string }) => name)).toEqual(Object.keys(manifest().dependencies));
});

it('the gates refuse all of this', () => {
  const own = {
    ...manifest(),
    main: 'dist/main.js',
    bin: { infcl: 'bin/no.js' },
    scripts: { install: 'true' },
    workspaces: [],
  };
  write(join(stage!, 'package.json'), JSON.stringify(own));
  write(join(stage!, 'notes.txt'), '');
  write(join(stage!, 'dist', 'a.ts'), '');
  rmSync(join(stage!, 'THIRD_PARTY_NOTICES'));
  write(join(stage!, 'prebuilds', binary), 'x');
  write(join(stage!, 'prebuilds', 'darwin-x64', 'infcl.node'), 'x');
  write(join(stage!, 'docs', 'api.md'), '[gone](gone.md)');
  const { status, stderr } = checkPack('0.1');
  const complaints = [
    'notes.txt does not belong into the package',
    'dist/a.ts does not belong',
    'THIRD_PARTY_NOTICES is missing',
    'bytes unpacked are more than 0.1 MB',
    'package.json has scripts',
    'package.json has workspaces',
    'package.json names dist/main.js, which is missing',
    'package.json names bin/no.js, which is missing',
    `prebuilds/${binary} is not the file in`,
    'prebuilds/darwin-x64/infcl.node is not in',
    'docs/api.md links docs/gone.md, which is missing',
  ];
  for (const complaint of complaints) expect(stderr).toContain(complaint);
  expect(stderr.trim().split('\n')).toHaveLength(complaints.length);
  expect(status).toBe(1);
});

it('the gates refuse a package without binaries', () => {
  rmSync(join(stage!, 'prebuilds'), { recursive: true });
  const { status, stderr } = checkPack();
  expect(stderr).toContain(`${binary} of ${tested} is not in the package`);
  expect(stderr).toContain('the package has no binary: run "npm run build:binaries"');
  expect(status).toBe(1);
});

describe('a wrong command line', () => {
  it.each<[string[], string]>([
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['--out', root], 'is not empty, and was not made by this script'],
    [['--publisher', '/nowhere.json'], '--publisher /nowhere.json does not exist'],
  ])('of stage: %j', (args, message) => {
    const { status, stderr } = makeStage(...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  it.each<[string, string, string]>([
    ['a value of no such name', JSON.stringify({ ...nobody, mail: '' }), 'mail is not a value of this file'],
    ['a missing value', JSON.stringify({ author: '' }), 'repository is missing'],
    [
      'no address',
      JSON.stringify({ ...nobody, bugs: 'the tracker' }),
      'bugs is "the tracker"; expected an address',
    ],
  ])('of the publisher: %s', (_, text, message) => {
    write(publisher!, text);
    const { status, stderr } = makeStage();
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });

  it('of binaries with another name', () => {
    const other = join(folder, 'other');
    write(join(other, 'linux-x64', 'infcl.so'), '');
    const { status, stderr } = makeStage('--prebuilds', other);
    expect(stderr).toContain(
      'has linux-x64/infcl.so; expected <platform>-<arch>/infcl[.glibc|.musl].node only',
    );
    expect(status).toBe(1);
  });

  it.each<[string[], string]>([
    [['--max-mb', 'ten'], '--max-mb is ten, expected a number above 0'],
    [['--stage', '/nowhere'], 'run "npm run stage" first'],
  ])('of pack:check: %j', (args, message) => {
    const { status, stderr } = script('package/pack-check.mjs', '--stage', stage!, ...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});
