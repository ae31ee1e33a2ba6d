/**
 * docs/training-tools.md and banks.md against the code: every example runs as it stands, and prints what its comments
 * say.
 */
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const examples = ['docs/training-tools.md', 'docs/banks.md']
  .flatMap(examplesOf)
  .map(({ code }) => withoutTypes(code));

const outputs = async (words: string) => {
  const found = examples.filter((code) => code.includes(words));
  expect(found).toHaveLength(1);
  return (await outputOf(found[0]!)).trim().split('\n');
};
const numbersIn = (text: string) => (text.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);

it('has these examples', () => expect(examples).toHaveLength(12));

it('a validation loss: features of all rows, and better than chance', async () => {
  const [loss, accuracy, ...shape] = numbersIn((await outputs('await encodeFeatures(keys)'))[0]!);
  expect(loss).toBeLessThan(Math.log(512));
  expect(accuracy).toBeGreaterThan(10 / 512);
  expect(shape).toEqual([512, 8]);
});

it('rows of length 1: the loss falls', async () => {
  expect(await outputs('normalizeRowsGrad(queries')).toEqual(['true']);
});

it('16 bits: the numbers of the comment', async () => {
  const text = (await outputs('toBFloat16(features)')).join(' ');
  expect(text).toMatch(/0\.60009765625 0\.6015625$/);
});

it('a learnt temperature moves, stays within its limits, and is saved', async () => {
  const [value, same] = await outputs('new LogitScale');
  expect(Number(value)).toBeGreaterThan(20);
  expect(Number(value)).toBeLessThanOrEqual(100);
  expect(same).toBe('true');
});

it('a bank fills, and gets no gradient', async () => {
  const lines = (await outputs('bank.behind(')).map(numbersIn);
  expect(lines.map(([size]) => size)).toEqual([64, 128, 192, 256, 256, 256]);
  expect(lines.map((line) => line.at(-1))).toEqual(Array(6).fill(64));
  // more negatives, a larger loss
  expect(lines[5]![1]).toBeGreaterThan(lines[0]![1]! + 1);
});

it('a bank in a step has the rows of the steps before', async () => {
  const lines = (await outputs('bankLoss({')).map(numbersIn);
  expect(lines.map(([, rows]) => rows)).toEqual([0, 64, 128]);
});

it.each([
  ['jax-js', "from '@jax-js/jax'", [1.2, 1.2, 1.2, 1.2]],
  ['TensorFlow.js', "from '@tensorflow/tfjs'", [0.1, 0.1]],
  ['arrays', 'Float32Array.of(3, 5)', [1.2, 1.4]],
])('a momentum tower with %s: the numbers of the comment', async (_, words, expected) => {
  const text = (await outputs(words)).join(' ');
  const found = numbersIn(text.slice(text.indexOf('[')));
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
});

it('the state of a bank goes through bytes', async () => {
  expect(await outputs('v8.serialize(bank.state())')).toEqual(['7 8 2']);
});

it('chunks by tokens: the shapes of the comment', async () => {
  expect((await outputs('chunksByTokens(texts')).map(numbersIn)).toEqual([
    [3, 5],
    [1, 200],
    [1, 2],
  ]);
});

it('prefetch: waiting overlaps', async () => {
  expect(await outputs('prefetch(readChunks)')).toEqual(['true']);
});
