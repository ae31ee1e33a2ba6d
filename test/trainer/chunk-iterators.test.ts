/** Values that `chunks` may and may not return. Every bad iterator is ERR_CHUNKS, and every good one is closed. */
import { chunkedStep } from '../../lib/trainer';
import { cut, randomRows, ToyEncoder } from './toy-encoder';

const rows = 6;
const inputs = randomRows(rows, 1);
const keys = { encoder: new ToyEncoder(2), chunks: () => [inputs] };

const stepOver = (chunks: unknown) =>
  chunkedStep({
    queries: { encoder: new ToyEncoder(1), chunks: chunks as () => Iterable<Float32Array> },
    keys,
    loss: { logitScale: 3 },
  });

const iteratorOf = (iterator: unknown) => ({ [Symbol.iterator]: () => iterator });

test.each<[what: string, chunks: () => unknown, words: string]>([
  ['nothing', () => {}, 'Expected an iterable or async iterable for the result of queries.chunks()'],
  ['null', () => null, 'received null'],
  ['a number', () => 5, 'received 5 of type number'],
  ['a string, whose letters are no chunks', () => 'abc', 'received abc of type string'],
  ['the batch itself', () => inputs, 'a batch of one chunk is [chunk]'],
  ['a promise', async () => [inputs], 'write an async generator'],
  ['a promise that rejects', () => Promise.reject(new Error('disk')), 'write an async generator'],
  ['an object that cannot be iterated', () => ({}), 'received an instance of Object'],
  ['an iterable of no iterator', () => iteratorOf(5), 'an iterator with a next method'],
  ['an iterator of no results', () => iteratorOf({ next: () => 5 }), '{ done, value }'],
  ['no chunk at all', () => [], 'Expected at least one chunk'],
])('%s is refused', async (_, chunks, words) => {
  const outcome = stepOver(chunks);
  await expect(outcome).rejects.toMatchObject({
    name: 'RangeError',
    code: 'ERR_CHUNKS',
    message: expect.stringContaining(words),
  });
  await expect(outcome).rejects.toThrow('queries.chunks');
});

test.each<[what: string, chunks: () => unknown]>([
  ['an array', () => cut(inputs, [2, 4])],
  ['an array, from a function that hides call', Object.assign(() => cut(inputs, [2, 4]), { call: 5 })],
  [
    'an array, whose iterator method hides call',
    () => ({ [Symbol.iterator]: Object.assign(() => cut(inputs, [2, 4]).values(), { call: 5 }) }),
  ],
  ['a set', () => new Set(cut(inputs, [2, 4]))],
  ['promises in an array', () => cut(inputs, [2, 4]).map(async (chunk) => chunk)],
  [
    'an async generator',
    async function* () {
      yield* cut(inputs, [2, 4]);
    },
  ],
  [
    'an iterator of no return method',
    () => {
      const chunks = cut(inputs, [2, 4]);
      return iteratorOf({ next: () => ({ done: chunks.length === 0, value: chunks.shift() }) });
    },
  ],
])('%s is read to its end, twice', async (_, chunks) => {
  const whole = await stepOver(() => [inputs]);
  expect((await stepOver(chunks)).loss).toBe(whole.loss);
});

test('a method that reads `this` is called on its tower', async () => {
  const tower = {
    encoder: new ToyEncoder(1),
    batch: undefined,
    rows,
    chunks() {
      expect(this).toBe(tower);
      return [inputs];
    },
  };
  await chunkedStep({ queries: tower, keys });
  expect.assertions(2);
});

test('an error of the iterator is what the step rejects with', async () => {
  const broken = function* () {
    yield inputs;
    throw new Error('disk');
  };
  await expect(stepOver(broken)).rejects.toThrow('disk');
});

test('an iterator that does not end is closed, and its error hides no other', async () => {
  let closed = 0;
  const chunks = () => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: new Float32Array(0) }),
      return: async () => {
        closed++;
        throw new Error('while closing');
      },
    }),
  });
  await expect(stepOver(chunks)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  expect(closed).toBe(1);
});
