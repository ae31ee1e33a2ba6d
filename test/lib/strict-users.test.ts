/**
 * Strict TypeScript against the package as it is built: every example of the documentation, and programs of
 * our own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile';
import { type Example, examplesOf } from './examples';

const root = join(__dirname, '..', '..');
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const allExamples = ['README.md', ...pages.map((name) => `docs/${name}`)].flatMap(examplesOf);

/** Tests in test/hosts compile the examples that import one of the packages of that folder. */
const hosts = JSON.parse(readFileSync(join(root, 'test', 'hosts', 'package.json'), 'utf8'));
const hostNames = Object.keys(hosts.dependencies);
const examples = allExamples.filter(({ code }) => !hostNames.some((name) => code.includes(`from '${name}'`)));

/** Code around an example that is only a part of a program, found by words of the example. */
const surroundings: Record<string, string> = {
  'encoder: imageEncoder': `import { chunkedStep, type Encoder } from 'infcl';
    declare const imageEncoder: Encoder<URL>, textEncoder: Encoder<URL>;
    declare function readChunks(folder: string): AsyncIterable<URL>;`,
  skipThisBatch: `import { type ContrastiveOptions, contrastiveLossAndGrad, type Features, isInfclError } from 'infcl';
    declare const queries: Features, keys: Features, options: ContrastiveOptions;
    declare function skipThisBatch(why: string): void;`,
};

function complete({ code }: Example): string {
  const words = Object.keys(surroundings).find((candidate) => code.includes(candidate));
  return words === undefined ? code : `${surroundings[words]}\n${code}`;
}

it('finds every example of the pages', () => {
  expect(examples.length).toBeGreaterThan(12);
  for (const words of Object.keys(surroundings)) {
    expect(examples.filter(({ code }) => code.includes(words))).toHaveLength(1);
  }
  for (const page of ['README.md', ...pages.map((name) => `docs/${name}`)]) {
    // code of another form would not be compiled
    expect(readFileSync(join(root, page), 'utf8')).not.toMatch(
      /^( {4}import |```(typescript|javascript|mjs|mts)\b)/m,
    );
  }
});

it('every example compiles', () => {
  const programs = examples.map((example) => [`${example.where.replace(/\W/g, '-')}.mts`, complete(example)]);
  expect(compile(Object.fromEntries(programs))).toEqual([]);
});

const head = `import { contrastiveLossSync, chunkedStep, plan, type Features, type Encoder } from 'infcl';
import { jaxEncoder, type JaxEncoderOptions } from 'infcl/jax';
import { onnxEncoder, type OnnxEncoderOptions } from 'infcl/onnx';
declare const [q, k]: [Features, Features];
declare const encoder: Encoder<string>;
`;

it('options that are absent may be undefined', () => {
  const program = `${head}
declare const given: { [Name in 'threads' | 'device' | 'rows' | 'seed']: number | undefined };
declare const signal: AbortSignal | undefined;
declare const flag: boolean | undefined;
contrastiveLossSync(q, k, { threads: given.threads, signal, grad: { queries: flag }, labelSmoothing: undefined });
contrastiveLossSync({ data: new Float32Array(4), shape: [2, 2], rowStride: undefined, dtype: undefined }, k);
plan({ queries: 2, dim: 2, device: given.device, gradient: flag });
const tower = { encoder, chunks: () => ['chunk'], rows: given.rows };
void chunkedStep({ queries: tower, keys: tower, loss: undefined, signal, onProgress: undefined });
declare const required: Pick<JaxEncoderOptions<object, string>, 'jax' | 'apply' | 'params'>;
jaxEncoder({ ...required, seed: given.seed, jit: flag, frozen: flag });
declare const onnx: Pick<OnnxEncoderOptions<string>, 'ort' | 'session' | 'feeds'>;
declare const pool: 'mean' | undefined;
const frozen: Encoder<string> = onnxEncoder({ ...onnx, output: undefined, pool, mask: undefined, normalize: flag });
`;
  expect(compile({ 'undefined.mts': program })).toEqual([]);
});

it.each([
  [
    'an option of another objective',
    "contrastiveLossSync(q, k, { objective: 'siglip', labelSmoothing: 0.1 });",
  ],
  ['a missing option', "contrastiveLossSync(q, k, { objective: 'supcon' });"],
  ['a value of another type', "contrastiveLossSync(q, k, { threads: '4' });"],
])('the built package refuses %s', (_, line) => {
  const errors = compile({ 'mistake.mts': `${head}${line}` });
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/^docs\/mistake\.mts:6: /);
});
