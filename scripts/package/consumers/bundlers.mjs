/**
 * Bundlers, with infcl external and not, and the tracer of deployments. Where a bundle cannot work, the row says which
 * message a user gets.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commonJs, plainEsModule } from './programs.mjs';

const writeBoth = (project) => {
  project.write('app.cjs', commonJs);
  project.write('app.mjs', plainEsModule);
};

/** A bundle that took infcl in is moved away from node_modules, as in a deployment. */
function expectBundled(project, file, text = 'infcl was bundled') {
  const elsewhere = project.newFolder();
  cpSync(join(project.folder, dirname(file)), elsewhere, { recursive: true });
  const program = join(elsewhere, file.slice(dirname(file).length + 1));
  project.expectRefusal(text, ['node', program], { cwd: elsewhere });
}

const esbuild = {
  tools: ['esbuild@0.28.2'],
  build(project, ...args) {
    project.run(
      'node',
      'node_modules/esbuild/bin/esbuild',
      '--bundle',
      '--platform=node',
      '--log-level=error',
      ...args,
    );
  },
};

const webpackConfig = (entry, library, externals) => `module.exports = {
  mode: 'production', target: 'node', entry: './${entry}', externals: ${JSON.stringify(externals)},
  experiments: { outputModule: ${library === 'module'} }, externalsType: '${library === 'module' ? 'module' : 'commonjs'}',
  output: { path: __dirname + '/out', filename: '${library === 'module' ? 'app.mjs' : 'app.cjs'}', module: ${library === 'module'} },
};`;

const rollupConfig = (external) => `import resolve from '@rollup/plugin-node-resolve';
import commonjs from '@rollup/plugin-commonjs';
export default { input: 'app.mjs', external: ${JSON.stringify(external)}, output: { file: 'out/app.mjs', format: 'es' },
  plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs()] };`;

export const rows = [
  {
    name: 'esbuild, infcl external',
    tools: esbuild.tools,
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      esbuild.build(project, 'app.cjs', '--external:infcl', '--format=cjs', '--outfile=out/app.cjs');
      esbuild.build(project, 'app.mjs', '--external:infcl', '--format=esm', '--outfile=out/app.mjs');
      for (const file of ['out/app.cjs', 'out/app.mjs']) project.expectOutput('done', 'node', file);
    },
  },
  {
    name: 'esbuild, infcl bundled',
    tools: esbuild.tools,
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      esbuild.build(project, 'app.cjs', '--format=cjs', '--outfile=cjs/app.cjs');
      esbuild.build(project, 'app.mjs', '--format=cjs', '--outfile=mixed/app.cjs');
      esbuild.build(project, 'app.mjs', '--format=esm', '--outfile=esm/app.mjs');
      for (const file of ['cjs/app.cjs', 'mixed/app.cjs', 'esm/app.mjs']) expectBundled(project, file);
      project.expectOutput('done', 'node', 'esm/app.mjs');
    },
  },
  {
    name: 'webpack, infcl external',
    tools: ['webpack@5.113.0', 'webpack-cli@6.0.1'],
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      for (const [entry, library, file] of [
        ['app.cjs', 'commonjs', 'out/app.cjs'],
        ['app.mjs', 'module', 'out/app.mjs'],
      ]) {
        project.write('webpack.config.cjs', webpackConfig(entry, library, ['infcl']));
        project.run('webpack', '--config', 'webpack.config.cjs');
        project.expectOutput('done', 'node', file);
      }
    },
  },
  {
    name: 'webpack, infcl bundled',
    tools: ['webpack@5.113.0', 'webpack-cli@6.0.1'],
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      project.write('webpack.config.cjs', webpackConfig('app.cjs', 'commonjs', []));
      project.run('webpack', '--config', 'webpack.config.cjs');
      expectBundled(project, 'out/app.cjs');
    },
  },
  {
    name: 'rollup, infcl external',
    tools: ['rollup@4.68.8', '@rollup/plugin-node-resolve@16.0.3', '@rollup/plugin-commonjs@29.0.3'],
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      project.write('rollup.config.mjs', rollupConfig(['infcl', 'infcl/jax', 'infcl/onnx', 'infcl/tfjs']));
      project.run('rollup', '-c', 'rollup.config.mjs');
      project.expectOutput('done', 'node', 'out/app.mjs');
    },
  },
  {
    name: 'rollup, infcl bundled',
    tools: ['rollup@4.68.8', '@rollup/plugin-node-resolve@16.0.3', '@rollup/plugin-commonjs@29.0.3'],
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      project.write('rollup.config.mjs', rollupConfig([]));
      project.run('rollup', '-c', 'rollup.config.mjs');
      expectBundled(project, 'out/app.mjs');
      project.expectOutput('done', 'node', 'out/app.mjs');
    },
  },
  {
    name: '@vercel/nft, files copied to an empty folder',
    tools: ['@vercel/nft@1.11.5'],
    run(project) {
      project.install(...this.tools);
      writeBoth(project);
      const trace = `const { nodeFileTrace } = require('@vercel/nft');
        nodeFileTrace([process.argv[2]], { base: __dirname }).then(({ fileList, warnings }) =>
          console.log(JSON.stringify({ files: [...fileList], warnings: [...warnings].map(String) })));`;
      project.write('trace.cjs', trace);
      for (const file of ['app.cjs', 'app.mjs']) {
        const { files, warnings } = JSON.parse(project.run('node', 'trace.cjs', file));
        if (warnings.length > 0) throw new Error(warnings.join('\n'));
        const elsewhere = project.newFolder();
        for (const name of files) {
          mkdirSync(dirname(join(elsewhere, name)), { recursive: true });
          cpSync(join(project.folder, name), join(elsewhere, name));
        }
        const output = project.runWith({ cwd: elsewhere }, 'node', file);
        if (!output.includes('done')) throw new Error(output);
      }
    },
  },
];
