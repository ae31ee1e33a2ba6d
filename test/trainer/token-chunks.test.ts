/** Chunks by a budget of tokens, and padding that is trimmed. */
import fc from 'fast-check';
import {
  chunkedStep,
  chunksByTokens,
  type PaddedBatch,
  type TokenChunkOptions,
  trimPadding,
} from '../../lib/trainer';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';

const cutOf = (lengths: number[], maxTokens: number, maxItems?: number) => [
  ...chunksByTokens(lengths, { length: (n) => n, maxTokens, maxItems })(),
];

describe('chunksByTokens', () => {
  test.each<[string, number[], number, number | undefined, number[][]]>([
    [
      'fills a chunk to the budget',
      [2, 2, 2, 2, 2],
      6,
      undefined,
      [
        [2, 2, 2],
        [2, 2],
      ],
    ],
    [
      'counts padding',
      [1, 1, 1, 4, 1],
      8,
      undefined,
      [
        [1, 1, 1],
        [4, 1],
      ],
    ],
    ['gives an oversized item a chunk of its own', [2, 9, 2, 2], 6, undefined, [[2], [9], [2, 2]]],
    ['of oversized items alone', [9, 9], 6, undefined, [[9], [9]]],
    ['knows a limit of items', [1, 1, 1, 1, 1], 100, 2, [[1, 1], [1, 1], [1]]],
    ['of one item', [3], 100, undefined, [[3]]],
  ])('%s', (_, lengths, maxTokens, maxItems, expected) => {
    expect(cutOf(lengths, maxTokens, maxItems)).toEqual(expected);
  });

  test('no chunk is beyond the budget, none could take its next item, and the order stays', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 9 }),
        (given, budget, most) => {
          const chunks = cutOf(given, budget, most);
          expect(chunks.flat()).toEqual(given);
          const padded = (chunk: number[]) => Math.max(...chunk) * chunk.length;
          chunks.forEach((chunk, i) => {
            expect(chunk.length === 1 || padded(chunk) <= budget).toBe(true);
            expect(chunk.length).toBeLessThanOrEqual(most);
            const next = chunks[i + 1];
            if (next) expect(chunk.length === most || padded([...chunk, next[0]!]) > budget).toBe(true);
          });
        },
      ),
    );
  });

  test('the cut is made once: lengths that change later change nothing', async () => {
    const texts = ['a', 'bb', 'ccc', 'dddd'];
    let [calls, factor] = [0, 1];
    const length = (text: string, index: number) => {
      calls++;
      expect(texts[index]).toBe(text);
      return text.length * factor;
    };
    const chunks = chunksByTokens(texts, { length, maxTokens: 6 });
    factor = 3;
    const expected = [['a', 'bb'], ['ccc'], ['dddd']];
    for (const _ of [0, 1]) expect([...chunks()]).toEqual(expected);
    expect(calls).toBe(4);
  });

  test('a step reads both passes alike', async () => {
    const seen: string[][] = [];
    const encoder = {
      encode(chunk: string[]) {
        seen.push(chunk);
        return { data: Float32Array.from(chunk, (text) => text.length / 5), shape: [chunk.length, 1] };
      },
      backward(chunk: string[]) {
        seen.push(chunk);
      },
    };
    const chunks = chunksByTokens(['a', 'bb', 'ccc', 'd'], { length: (text) => text.length, maxTokens: 4 });
    const keys = { encoder: { encode: encoder.encode }, chunks: () => [['a', 'bb', 'ccc', 'd']] };
    await chunkedStep({ queries: { encoder, chunks }, keys });
    const passes = [['a', 'bb'], ['ccc'], ['d']];
    expect(seen).toEqual([...passes, ['a', 'bb', 'ccc', 'd'], ...passes]);
  });

  const good = { length: () => 1, maxTokens: 4 };
  test.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, good, 'ERR_TYPE', 'array for items'],
    ['one text', 'abc', good, 'ERR_TYPE', 'array for items but received abc'],
    ['an iterator', new Set([1]), good, 'ERR_TYPE', 'array for items'],
    ['no items', [], good, 'ERR_CHUNKS', 'at least one item for items'],
    ['no options', [1], undefined, 'ERR_TYPE', 'object for options'],
    ['no length', [1], { maxTokens: 4 }, 'ERR_TYPE', 'function for options.length'],
    ['no budget', [1], { length: () => 1 }, 'ERR_TYPE', 'options.maxTokens but received undefined'],
    ['a budget of 0', [1], { ...good, maxTokens: 0 }, 'ERR_VALUE', 'options.maxTokens'],
    ['maxItems 0', [1], { ...good, maxItems: 0 }, 'ERR_VALUE', 'options.maxItems'],
    ['a typo', [1], { ...good, maxitems: 2 }, 'ERR_OPTION', 'did you mean maxItems?'],
    [
      'an empty text',
      [[1], []],
      { ...good, length: (x: number[]) => x.length },
      'ERR_VALUE',
      'length(items[1])',
    ],
    ['no number', [1], { ...good, length: () => '1' }, 'ERR_TYPE', 'length(items[0])'],
  ])('refuses %s', (_, items, options, code, message) => {
    const error = thrownBy(() => chunksByTokens(items as never, options as TokenChunkOptions<unknown>));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  test('an error of length reaches the caller', () => {
    const length = () => {
      throw new Error('tokenizer');
    };
    expect(() => chunksByTokens([1], { length, maxTokens: 1 })).toThrow('tokenizer');
  });
});

describe('trimPadding', () => {
  test('cuts every array to the longest row', () => {
    const ids = Int32Array.of(7, 8, 0, 0, 9, 0, 0, 0);
    const mask = Int32Array.of(1, 1, 0, 0, 1, 0, 0, 0);
    const trimmed = trimPadding({ shape: [2, 4], ids, mask, long: BigInt64Array.from(ids, BigInt) });
    expect(trimmed).toEqual({
      shape: [2, 2],
      ids: Int32Array.of(7, 8, 9, 0),
      mask: Int32Array.of(1, 1, 1, 0),
      long: BigInt64Array.of(7n, 8n, 9n, 0n),
    });
  });

  test('of int64, of a full row, of padding alone, of padding on the left', () => {
    const kept = (mask: bigint[], width: number) =>
      trimPadding({ shape: [mask.length / width, width], mask: BigInt64Array.from(mask) }).shape[1];
    expect(kept([1n, 0n, 0n, 1n, 1n, 0n], 3)).toBe(2);
    expect(kept([1n, 0n, 0n, 1n, 1n, 1n], 3)).toBe(3);
    expect(kept([0n, 0n, 0n, 0n], 2)).toBe(1);
    expect(kept([0n, 0n, 1n, 0n, 1n, 1n], 3)).toBe(3);
    // a hole in the mask is no trailing padding
    expect(kept([1n, 0n, 1n, 0n], 4)).toBe(3);
  });

  test('the result is a copy, also where nothing is cut', () => {
    const mask = Int32Array.of(1, 1);
    const trimmed = trimPadding({ shape: [1, 2], mask });
    mask[0] = 0;
    expect([...trimmed.mask]).toEqual([1, 1]);
  });

  const mask = Int32Array.of(1, 0);
  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for batch'],
    ['no shape', { mask }, 'ERR_TYPE', 'batch.shape'],
    ['a shape of three', { mask, shape: [1, 1, 2] }, 'ERR_SHAPE', 'batch.shape'],
    ['no mask', { shape: [1, 2], ids: mask }, 'ERR_TYPE', 'batch.mask but received undefined'],
    [
      'a mask of floats',
      { shape: [1, 2], mask: Float32Array.of(1, 0) },
      'ERR_TYPE',
      'Int32Array or BigInt64Array',
    ],
    ['an array of numbers', { shape: [1, 2], mask, ids: [1, 2] }, 'ERR_TYPE', 'batch.ids'],
    [
      'ids of another size',
      { shape: [1, 2], mask, ids: new Int32Array(3) },
      'ERR_SHAPE',
      'Expected 2 elements',
    ],
  ])('refuses %s', (_, batch, code, message) => {
    const error = thrownBy(() => trimPadding(batch as PaddedBatch));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });
});
