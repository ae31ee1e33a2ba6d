/** `npm install` in a clone builds once, and shows the build: by npm itself, on a small project of the same shape. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'infcl-prepare-')));
  const clone = join(folder, 'clone');
  mkdirSync(join(clone, 'examples'), { recursive: true });
  cpSync(join(root, 'scripts', 'own-link.mjs'), join(clone, 'own-link.mjs'));
  const scripts = { prepare: 'node build.mjs' };
  const own = { name: 'infcl', version: '1.0.0', workspaces: ['examples'], scripts };
  writeFileSync(join(clone, 'package.json'), JSON.stringify(own));
  const examples = { name: 'examples', private: true, dependencies: { infcl: 'file:..' } };
  writeFileSync(join(clone, 'examples', 'package.json'), JSON.stringify(examples));
  writeFileSync(
    join(clone, 'build.mjs'),
    `import { appendFileSync } from 'node:fs';
     import { isOwnLink } from './own-link.mjs';
     const link = isOwnLink(process.env, import.meta.dirname ?? process.cwd());
     appendFileSync('prepared.log', link ? 'link ' : 'build ');
     if (!link) console.log('building');`,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs npm as a user does, without what an npm around the tests has set. */
function npm(cwd: string, ...args: string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD)/.test(name)),
  );
  const { status, stdout } = spawnSync('npm', [...args, '--offline'], { cwd, encoding: 'utf8', env });
  expect(status).toBe(0);
  const log = join(folder, 'clone', 'prepared.log');
  const prepared = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
  rmSync(log, { force: true });
  return { stdout, prepared };
}

it('in the clone: the link is left to the run that is shown', () => {
  const clone = join(folder, 'clone');
  for (const command of ['install', 'ci']) {
    const { stdout, prepared } = npm(clone, command);
    expect(prepared).toBe('link build');
    expect(stdout).toMatch(/^building$/m);
    rmSync(join(clone, 'node_modules'), { recursive: true });
  }
});

it('in a project that links the clone: npm prepares the clone once, and that run builds', () => {
  const user = join(folder, 'user');
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "name": "user" }');
  expect(npm(user, 'install', '../clone').prepared).toBe('build');
});

it('package.json runs the build in this way', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(scripts.prepare).toBe('node scripts/build.mjs prepare');
  const asLink = { npm_package_resolved: 'null', npm_command: 'install', npm_config_local_prefix: root };
  const { status, stdout } = spawnSync('node', ['scripts/build.mjs', 'prepare'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...asLink },
  });
  expect(stdout).toBe('infcl: npm prepares the clone itself next, and shows that build\n');
  expect(status).toBe(0);
});
