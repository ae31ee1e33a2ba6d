/** TypeScript in every module mode, with and without skipLibCheck, and the two tools that judge the types of a package. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { typed } from './programs.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const nodeTypes = '@types/node@20.19.43';

/** `module`, `moduleResolution`, and what else the compiler wants for them. */
const modes = {
  node10: { module: 'commonjs', moduleResolution: 'node10' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

/** TypeScript 7 has no node10, and 6 wants to be told that it is going. */
function optionsOf(version, mode) {
  const major = Number(version.split('.')[0]);
  if (mode === 'node10' && major >= 7) return null;
  return mode === 'node10' && major === 6 ? { ...modes.node10, ignoreDeprecations: '6.0' } : modes[mode];
}

const compiler = (version) => ({
  name: `TypeScript, ${Object.keys(modes)
    .filter((mode) => optionsOf(version, mode))
    .join(', ')}`,
  tools: [`typescript@${version}`, nodeTypes],
  run(project) {
    project.install(...this.tools);
    for (const name of ['use.ts', 'use.mts', 'use.cts']) project.write(name, typed);
    for (const mode of Object.keys(modes)) {
      const options = optionsOf(version, mode);
      if (options === null) continue;
      for (const skipLibCheck of [true, false]) {
        const lib = ['es2023', 'esnext.disposable'];
        const compilerOptions = {
          ...options,
          skipLibCheck,
          strict: true,
          noEmit: true,
          target: 'es2022',
          lib,
          types: ['node'],
        };
        project.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['use.*'] }));
        project.run('tsc', '-p', '.');
      }
    }
  },
});

/** The documentation of the checkout: a warning is an error by typedoc.json. */
const typedoc = {
  name: 'TypeDoc, the documentation of the API',
  tools: ['typedoc@0.28.20', 'typescript@6.0.3'],
  run(project) {
    project.install(...this.tools);
    const program = join(project.folder, 'node_modules', 'typedoc', 'bin', 'typedoc');
    project.runWith({ cwd: root }, 'node', program, '--out', project.newFolder());
  },
};

export const rows = [
  typedoc,
  ...['5.4.5', '5.9.3', '6.0.3', '7.0.2'].map(compiler),
  {
    name: 'publint --strict',
    tools: ['publint@0.3.25'],
    run(project) {
      project.install(...this.tools);
      project.expectOutput('All good!', 'publint', '--strict', project.tarball);
    },
  },
  {
    name: 'Are the types wrong',
    tools: ['@arethetypeswrong/cli@0.18.5'],
    run(project) {
      project.install(...this.tools);
      project.expectOutput('No problems found', 'attw', '--no-color', project.tarball);
    },
  },
];
