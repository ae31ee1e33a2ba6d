/**
 * Package managers and other runtimes. The managers run as users run them, scripts allowed: with no compiler on PATH, a
 * manager that compiles anything fails. The last row compiles on purpose.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commonJs, esModule } from './programs.mjs';

/** A registry that npm was told to use holds for the other managers as well. */
const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();

function writeUsers(project, type = 'commonjs') {
  project.write('use.cjs', commonJs);
  project.write('use.mjs', esModule);
  const dependencies = { infcl: `file:${project.tarball}` };
  project.write(
    'package.json',
    JSON.stringify({ name: 'a-user', version: '1.0.0', private: true, type, dependencies }),
  );
}

/** The manager itself, in a folder of its own. Returns the path of its program. */
function installTool(project, tool, program) {
  const folder = project.newFolder();
  project.runWith(
    { cwd: folder },
    'npm',
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
    tool,
  );
  return join(folder, 'node_modules', program);
}

function expectNoBuild(project) {
  if (existsSync(join(project.folder, 'node_modules', 'infcl', 'source', 'build')))
    throw new Error('infcl was compiled');
}

function yarn4(name, nodeLinker) {
  return {
    name: `yarn 4, ${name}`,
    tools: ['@yarnpkg/cli-dist@4.18.1'],
    run(project) {
      const yarn = installTool(project, this.tools[0], '@yarnpkg/cli-dist/bin/yarn.js');
      // PnP resolves ES modules of projects whose type is module
      writeUsers(project, 'module');
      project.write(
        '.yarnrc.yml',
        `nodeLinker: ${nodeLinker}\nenableTelemetry: false\nenableGlobalCache: false\n`,
      );
      project.write('yarn.lock', '');
      const options = {
        env: { YARN_NPM_REGISTRY_SERVER: registry, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
      };
      project.runWith(options, 'node', yarn, 'install');
      for (const file of ['use.cjs', 'use.mjs']) {
        const output = project.runWith(options, 'node', yarn, 'node', file);
        if (!output.includes('done')) throw new Error(output);
      }
    },
  };
}

const useWithNode = (project) => {
  project.expectOutput('done', 'node', 'use.cjs');
  project.expectOutput('done', 'node', 'use.mjs');
  expectNoBuild(project);
};

const pnpm = (version, program) => ({
  name: 'pnpm',
  tools: [`pnpm@${version}`],
  run(project) {
    const file = installTool(project, this.tools[0], `pnpm/bin/${program}`);
    writeUsers(project);
    const options = { env: { npm_config_registry: registry } };
    const output = project.runWith(options, 'node', file, 'install', '--store-dir', project.newFolder());
    if (/Ignored build scripts/.test(output)) throw new Error(output);
    useWithNode(project);
  },
});

const managers = [
  {
    name: 'npm, scripts allowed',
    tools: [],
    run(project) {
      writeUsers(project);
      const output = project.run('npm', 'install', '--no-audit', '--no-fund');
      if (/warn/i.test(output)) throw new Error(`npm warns:\n${output}`);
      useWithNode(project);
      project.expectOutput('All is well.', 'npx', '--no-install', 'infcl', 'doctor');
    },
  },
  pnpm('10.34.8', 'pnpm.cjs'),
  pnpm('12.21.0', 'pnpm.mjs'),
  {
    name: 'yarn 1',
    tools: ['yarn@1.22.22'],
    run(project) {
      const yarn = installTool(project, this.tools[0], 'yarn/bin/yarn.js');
      writeUsers(project);
      const options = { env: { npm_config_registry: registry, YARN_CACHE_FOLDER: project.newFolder() } };
      project.runWith(options, 'node', yarn, 'install', '--no-progress', '--non-interactive');
      useWithNode(project);
    },
  },
  yarn4('node_modules', 'node-modules'),
  yarn4('PnP', 'pnp'),
];

const runtimes = [
  {
    name: 'Bun',
    tools: ['@oven/bun-linux-x64@1.4.5'],
    needs: { platform: 'linux-x64' },
    run(project) {
      const bun = installTool(project, this.tools[0], '@oven/bun-linux-x64/bin/bun');
      writeUsers(project);
      project.runWith({ env: { npm_config_registry: registry } }, bun, 'install');
      for (const file of ['use.cjs', 'use.mjs']) project.expectOutput('done', bun, file);
    },
  },
  {
    name: 'Deno, --allow-read --allow-ffi --allow-env',
    tools: ['@deno/linux-x64-glibc@2.9.6'],
    needs: { platform: 'linux-x64' },
    run(project) {
      const deno = installTool(project, this.tools[0], '@deno/linux-x64-glibc/deno');
      project.install();
      project.write('use.cjs', commonJs);
      project.write('use.mjs', esModule);
      const flags = ['--allow-read', '--allow-ffi', '--allow-env'];
      for (const file of ['use.cjs', 'use.mjs'])
        project.expectOutput('done', deno, 'run', '--no-prompt', ...flags, file);
      project.expectRefusal('Deno forbids it', [deno, 'run', '--no-prompt', flags[0], flags[2], 'use.cjs']);
      project.expectRefusal('Add --allow-env', [deno, 'run', '--no-prompt', flags[0], 'use.cjs']);
      const list = "console.log(require('infcl').backends()[0].available)";
      project.write('list.cjs', list);
      project.expectOutput('true', deno, 'run', '--no-prompt', ...flags, 'list.cjs');
    },
  },
];

const compiled = {
  name: 'compiled by node-gyp out of the package',
  tools: ['node-gyp@12.4.0', 'node-addon-api@8.9.2'],
  run(project) {
    project.install(...this.tools);
    project.write('use.cjs', commonJs);
    const prebuilds = join(project.folder, 'node_modules', 'infcl', 'prebuilds');
    rmSync(prebuilds, { recursive: true });
    project.expectRefusal('npx node-gyp rebuild -C node_modules/infcl/source', ['node', 'use.cjs']);
    project.runWith(
      { compilers: true, env: { JOBS: '2' } },
      'npx',
      'node-gyp',
      'rebuild',
      '-C',
      'node_modules/infcl/source',
    );
    project.expectOutput('done', 'node', 'use.cjs');
  },
};

export const rows = [...managers, ...runtimes];
export const sourceRows = [compiled];
