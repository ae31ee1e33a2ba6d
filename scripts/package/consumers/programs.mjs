/**
 * The programs that a consumer runs: each computes a loss whose value is known, trains for a few steps, and prints
 * `done`. So a package that merely loads does not pass.
 */

/** Plain JavaScript, for every module system. `infcl` is the namespace of the package. */
const body = `
async function use(infcl) {
  const two = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };
  const { loss } = infcl.contrastiveLossSync(two, two, { logitScale: 1 });
  if (Math.abs(loss - Math.log1p(Math.exp(-1))) > 1e-6) throw new Error('loss is ' + loss);
  const [rows, dim] = [64, 16];
  const random = (seed) => Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(seed + i * i));
  const queries = { data: random(1), shape: [rows, dim] };
  const keys = { data: random(2), shape: [rows, dim] };
  const losses = [];
  for (let step = 0; step < 20; step += 1) {
    const result = await infcl.contrastiveLossAndGrad(queries, keys, { logitScale: 1 });
    losses.push(result.loss);
    queries.data = queries.data.map((x, i) => x - 20 * result.queryGrads[i]);
  }
  if (!(losses[19] < losses[0] / 2)) throw new Error('training went from ' + losses[0] + ' to ' + losses[19]);
}
`;
const main = "use(infcl).then(() => console.log('done'));\n";

export const commonJs = `const infcl = require('infcl');\n${body}${main}`;

export const esModule = `import * as infcl from 'infcl';\nimport { jaxEncoder } from 'infcl/jax';
import { onnxEncoder } from 'infcl/onnx';
import { tfjsEncoder } from 'infcl/tfjs';
import { createRequire } from 'node:module';
for (const encoder of [jaxEncoder, onnxEncoder, tfjsEncoder]) {
  if (typeof encoder !== 'function') throw new Error('an adapter has no encoder');
}
${body}
if (createRequire(import.meta.url)('infcl').contrastiveLoss !== infcl.contrastiveLoss) throw new Error('two instances');
${main}`;

/** An ES module without createRequire, which bundlers do not know. */
export const plainEsModule = `import * as infcl from 'infcl';\n${body}${main}`;

export const workers = `const { Worker, isMainThread } = require('node:worker_threads');
${body}
if (isMainThread) {
  const ended = [1, 2, 3].map(() => new Promise((resolve, reject) => {
    new Worker(__filename).on('error', reject).on('exit', resolve);
  }));
  Promise.all(ended).then((codes) => { if (codes.every((code) => code === 0)) console.log('done'); });
} else use(require('infcl'));
`;

/** For Jest and Vitest: \`importLine\` brings \`infcl\`. */
export const testFile = (importLine) =>
  `${importLine}\n${body}\ntest('computes and trains', () => use(infcl));\n`;

export const typed = `import { contrastiveLossAndGrad, plan, type ContrastiveOptions, type Features, DeviceMatrix } from 'infcl';
import { jaxEncoder } from 'infcl/jax';
import { onnxEncoder } from 'infcl/onnx';
import { tfjsEncoder } from 'infcl/tfjs';

const two = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] } as const;
const features: Features = two;
const options: ContrastiveOptions = { logitScale: 1, perRow: true };
async function main(): Promise<number> {
  const { loss, queryGrads } = await contrastiveLossAndGrad(two, two, { logitScale: 1 });
  const grads: Float32Array = queryGrads;
  return loss + grads.length + plan({ queries: 2, dim: 2 }).flops;
}
// @ts-expect-error: a wrong option shows that the types are those of infcl, and not any
const wrong: ContrastiveOptions = { logitScale: 'one' };
export { main, features, options, wrong, jaxEncoder, onnxEncoder, tfjsEncoder, DeviceMatrix };
`;
