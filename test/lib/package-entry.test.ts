/**
 * The built package as users get it: by import and by require, the same names and one instance;
 * the groups of infcl/distributed, the metrics of infcl/evaluation, the files of infcl/data, the ranks of infcl/mpi,
 * and the adapters infcl/jax, infcl/onnx and infcl/tfjs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sources from '../../lib';
import * as jaxSources from '../../lib/adapters/jax';
import * as onnxSources from '../../lib/adapters/onnx';
import * as tfjsSources from '../../lib/adapters/tfjs';
import * as dataSources from '../../lib/data';
import * as distributedSources from '../../lib/distributed';
import * as mpiSources from '../../lib/distributed/mpi';
import * as evaluationSources from '../../lib/evaluation';

const root = join(__dirname, '..', '..');

/** Runs an ES module inside the package, where it can import itself by name, and parses what it prints. */
function run(script: string): unknown {
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], options));
}

/**
 * Begin of a script: `asked` gets the name of every file that is asked for by `require`, which goes through
 * _resolveFilename.
 */
const listening = `
    import Module, { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const resolve = Module._resolveFilename;
    const asked = [];
    Module._resolveFilename = (request, ...rest) => {
      asked.push(request);
      return resolve.call(Module, request, ...rest);
    };
`;

beforeAll(() => {
  if (!existsSync(join(root, 'dist', 'index.mjs'))) throw new Error('dist is missing: run npm run build:ts');
});

it.each([
  ['infcl', sources],
  ['infcl/data', dataSources],
  ['infcl/distributed', distributedSources],
  ['infcl/evaluation', evaluationSources],
  ['infcl/jax', jaxSources],
  ['infcl/mpi', mpiSources],
  ['infcl/onnx', onnxSources],
  ['infcl/tfjs', tfjsSources],
])('%s: import and require give the names of the sources, and the same functions', (entry, module) => {
  const report = run(`
    import { createRequire } from 'node:module';
    import * as esm from '${entry}';
    const cjs = createRequire(import.meta.url)('${entry}');
    console.log(JSON.stringify({
      esm: Object.keys(esm).sort(),
      cjs: Object.keys(cjs).sort(),
      shared: Object.keys(cjs).every((name) => esm[name] === cjs[name]),
    }));
  `);
  const names = Object.keys(module).sort();
  expect(report).toEqual({ esm: names, cjs: names, shared: true });
});

it('has the functions of the README', () => {
  expect(Object.keys(sources)).toEqual(
    expect.arrayContaining([
      'backends',
      'chunkedStep',
      'contrastiveLoss',
      'contrastiveLossAndGrad',
      'contrastiveLossAndGradSync',
      'contrastiveLossSync',
      'plan',
    ]),
  );
});

/** Methods of an encoder that trains, in the order of the alphabet. */
const trainedMethods = [
  'backward',
  'discardGradients',
  'dispose',
  'encode',
  'randomState',
  'restoreRandomState',
  'takeGradients',
];

it('infcl/evaluation has functions of infcl, the same ones', () => {
  const same = run(`
    import * as all from 'infcl';
    import * as part from 'infcl/evaluation';
    console.log(JSON.stringify(Object.keys(part).filter((name) => part[name] === all[name]).sort()));
  `);
  expect(same).toEqual(Object.keys(evaluationSources).sort());
  expect(same).toContain('retrievalMetrics');
});

it('infcl/jax loads without jax-js, and infcl without infcl/jax', () => {
  const report = run(`
    ${listening}
    require('infcl');
    const plain = Object.keys(require.cache);
    const { jaxEncoder } = require('infcl/jax');
    const f = () => {};
    const numpy = { add: f, array: f, multiply: f };
    const tree = { dispose: f, map: f, ref: f };
    const jax = { blockUntilReady: f, jit: f, vjp: f, numpy, random: { key: f }, tree };
    const encoder = jaxEncoder({ jax, apply: f, params: f });
    console.log(JSON.stringify({
      methods: Object.keys(encoder).sort(),
      jax: asked.filter((name) => name.includes('@jax-js')),
      early: plain.filter((file) => /adapters/.test(file)),
    }));
  `);
  expect(report).toEqual({
    methods: trainedMethods,
    jax: [],
    early: [],
  });
});

it('infcl/tfjs loads without TensorFlow.js, and its encoders work with what the caller passes in', () => {
  const report = run(`
    ${listening}
    const { tfjsEncoder } = require('infcl/tfjs');
    const f = () => {};
    const engine = () => ({ state: { gradientDepth: 0, kernelDepth: 0 } });
    const tf = { add: f, clone: f, customGrad: f, engine, keep: f, mul: f, scalar: f, sum: f, tensor: f, tidy: f,
      variableGrads: f };
    const encoder = tfjsEncoder({ tf, model: { apply: f, variables: [] } });
    console.log(JSON.stringify({
      methods: Object.keys(encoder).sort(),
      tfjs: asked.filter((name) => name.includes('tensorflow')),
    }));
  `);
  expect(report).toEqual({
    methods: trainedMethods,
    tfjs: [],
  });
});

it('infcl/data loads without a parser and without the addon, and reads a file', () => {
  const report = run(`
    ${listening}
    import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    const { openDataset, textBatches } = require('infcl/data');
    const folder = mkdtempSync(join(tmpdir(), 'infcl-entry-'));
    const path = join(folder, 'pairs.tsv');
    writeFileSync(path, 'one\\t1\\ntwo\\t2\\n');
    const queries = [];
    for await (const batch of textBatches(await openDataset(path, { header: false }), { batchSize: 1 }))
      queries.push(...batch.queries);
    rmSync(folder, { recursive: true });
    console.log(JSON.stringify({
      queries: queries.sort(),
      parser: asked.filter((name) => name.includes('csv-parse')),
      addon: Object.keys(require.cache).filter((file) => file.endsWith('.node')),
    }));
  `);
  expect(report).toEqual({ queries: ['one', 'two'], parser: [], addon: [] });
});

it('infcl/onnx loads without ONNX Runtime, and its encoder has no backward', () => {
  const report = run(`
    ${listening}
    const { onnxEncoder } = require('infcl/onnx');
    const port = { name: 'x', isTensor: true, type: 'float32', shape: ['batch', 4] };
    const session = { run() {}, inputMetadata: [port], outputMetadata: [port] };
    const encoder = onnxEncoder({ ort: { Tensor: class {} }, session, feeds() {} });
    console.log(JSON.stringify({
      methods: Object.keys(encoder),
      onnx: asked.filter((name) => name.includes('onnxruntime')),
      asked: asked.includes('infcl/onnx'),
    }));
  `);
  expect(report).toEqual({ methods: ['encode'], onnx: [], asked: true });
});

it('loading the package does not load the addon', () => {
  const loaded = run(`
    import { createRequire } from 'node:module';
    import 'infcl';
    const { cache } = createRequire(import.meta.url);
    console.log(JSON.stringify(Object.keys(cache).filter((file) => file.endsWith('.node'))));
  `);
  expect(loaded).toEqual([]);
});

it('declares types for every way in', () => {
  const { exports, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const conditions = Object.values<Record<string, Record<string, string>>>(exports).filter(
    (entry) => typeof entry !== 'string',
  );
  expect(conditions.length).toBeGreaterThan(1);
  for (const { import: esm, require: cjs } of conditions) {
    for (const file of [esm!.types, esm!.default, cjs!.types, cjs!.default]) {
      expect(existsSync(join(root, file!))).toBe(true);
    }
  }
  expect(files).toContain('dist');
});
