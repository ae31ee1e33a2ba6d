/**
 * docs/onnx.md against the packages: every example compiles, runs in a folder of a user, and prints what the
 * page says. Small models take the place of the user's.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile } from '../lib/compile';
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';
import { floats, int64s, onnxModel } from './onnx-model';
import { values } from './onnx-towers';
import { writeTextModel } from './text-model';

const root = join(__dirname, '..', '..');
const examples = examplesOf('docs/onnx.md');
const [tower, tokens, pipeline] = examples.map(({ code }) => code);

const folder = mkdtempSync(join(tmpdir(), 'infcl-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** image_embeds [batch x 16] of pixels [batch x 3 x 8 x 8]. */
function imageTower(): Uint8Array {
  const [pixels, dim] = [3 * 8 * 8, 16];
  return onnxModel({
    nodes: [
      { op: 'Reshape', inputs: ['pixels', 'flat'], outputs: ['rows'] },
      { op: 'MatMul', inputs: ['rows', 'weights'], outputs: ['image_embeds'] },
    ],
    constants: { flat: int64s(-1, pixels), weights: floats(values(pixels * dim, 5), pixels, dim) },
    inputs: { pixels: { type: 'float32', dims: ['batch', 3, 8, 8] } },
    outputs: { image_embeds: { type: 'float32', dims: ['batch', dim] } },
  });
}

beforeAll(() => {
  const installed = { infcl: root };
  for (const name of ['onnxruntime-node', '@huggingface/transformers']) {
    Object.assign(installed, { [name]: join(__dirname, 'node_modules', name) });
  }
  for (const [name, target] of Object.entries<string>(installed)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
  writeFileSync(join(folder, 'image-tower.onnx'), imageTower());
  writeTextModel(join(folder, 'models', 'Xenova', 'all-MiniLM-L6-v2'));
});

it('has these examples, and they compile in strict TypeScript', () => {
  expect(examples).toHaveLength(3);
  const programs = examples.map(({ where, code }) => [`${where.replace(/\W/g, '-')}.mts`, code]);
  expect(compile(Object.fromEntries(programs), 'test/hosts')).toEqual([]);
});

it('the loss falls with a frozen tower', async () => {
  const output = await outputOf(withoutTypes(tower!), folder);
  const losses = [...output.matchAll(/^step \d+: loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(5);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
});

it('a text model with a tokenizer tells texts apart', async () => {
  expect(await outputOf(withoutTypes(tokens!), folder)).toBe('true\n');
});

it('a pipeline tells texts apart', async () => {
  expect(await outputOf(withoutTypes(pipeline!), folder)).toBe('2 true\n');
});
