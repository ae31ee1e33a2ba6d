/**
 * `infcl/onnx` against transformers.js: the same tokenizer and model, once through the pipeline and once through
 * `onnxEncoder`, give the same features. A tiny model in a temporary folder takes the place of a download.
 *
 * @jest-environment ./test/hosts/one-realm.js
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { contrastiveLossSync } from '../../lib';
import { onnxEncoder } from '../../lib/adapters/onnx';
import { makeSession } from './onnx-towers';
import { writeTextModel } from './text-model';

// the declarations of transformers.js know only its ES module
type Transformers = typeof import('@huggingface/transformers', { with: { 'resolution-mode': 'import' }});
const { AutoTokenizer, env, pipeline }: Transformers = require('@huggingface/transformers');

const folder = mkdtempSync(join(tmpdir(), 'infcl-text-'));
const texts = ['a red dog', 'cats', 'the blue cat a dog'];

beforeAll(() => {
  env.localModelPath = folder;
  env.allowRemoteModels = false;
  writeTextModel(join(folder, 'tiny'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function features(pool: 'mean' | 'cls' | 'last_token', normalize: boolean, side: 'left' | 'right') {
  const tokenizer = await AutoTokenizer.from_pretrained('tiny');
  tokenizer.padding_side = side;
  const { attention_mask: mask } = tokenizer(texts, { padding: true });
  // the second text is short: its row begins or ends with padding
  const [, longest] = mask.dims;
  expect([mask.data[longest], mask.data[2 * longest - 1]]).toEqual(side === 'left' ? [0n, 1n] : [1n, 0n]);
  const encoder = onnxEncoder({
    ort,
    session: await makeSession(readFileSync(join(folder, 'tiny', 'onnx', 'model.onnx'))),
    feeds: (batch: string[]) => tokenizer(batch, { padding: true }),
    pool,
    normalize,
  });
  return encoder.encode(texts);
}

test.each([
  ['mean', true],
  ['mean', false],
  ['cls', true],
] as const)('%s, normalize %s: what the pipeline gives', async (pool, normalize) => {
  const extractor = await pipeline('feature-extraction', 'tiny', { dtype: 'fp32' });
  const expected = await extractor(texts, { pooling: pool, normalize });
  const found = await features(pool, normalize, 'right');
  expect(found.shape).toEqual(expected.dims);
  const values = expected.data as Float32Array;
  expect(Math.hypot(...values)).toBeGreaterThan(0.1);
  (found.data as Float32Array).forEach((x, i) => {
    expect(Math.abs(x - values[i]!)).toBeLessThan(1e-6);
  });
  const loss = contrastiveLossSync(found, expected, { logitScale: 20 });
  expect(loss.loss).toBeCloseTo(contrastiveLossSync(found, found, { logitScale: 20 }).loss, 4);
});

test.each(['mean', 'cls', 'last_token'] as const)(
  '%s does not depend on the side of the padding',
  async (pool) => {
    expect(await features(pool, false, 'left')).toEqual(await features(pool, false, 'right'));
  },
);

test('tokens without pooling are refused, with the shape', async () => {
  const extractor = await pipeline('feature-extraction', 'tiny', { dtype: 'fp32' });
  const tokens = await extractor(texts, { pooling: 'none' });
  expect(tokens.dims).toHaveLength(3);
  expect(() => contrastiveLossSync(tokens, tokens)).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE', message: expect.stringContaining('[rows, dim]') }),
  );
});
