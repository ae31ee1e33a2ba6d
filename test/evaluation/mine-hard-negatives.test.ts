/** mineHardNegatives: worked examples of each option, keys in parts, and the whole against the oracle. */
import { gatherRows, type MiningOptions, type MiningProgress, mineHardNegatives, topK } from '../../lib';
import { normalRows, unitRows } from '../reference/features';
import { coarsen, type FloatMatrix, widen } from '../reference/inputs';
import { plainCandidates, plainNegatives } from '../reference/mining';

const ints = (...values: number[]) => Int32Array.from(values);
const matrix = (rows: readonly (readonly number[])[]): FloatMatrix => ({
  data: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

/** One query; each score is the only number of its key. Key 0 is the positive, with 4. */
const one = matrix([[1]]);
const keys = matrix([[4], [6], [4], [3], [3.5], [-1], [3]]);
const mined = async (options: Partial<MiningOptions>) => {
  const { indices, found } = await mineHardNegatives(one, keys, { count: 6, ...options });
  return [...indices.subarray(0, found[0])];
};

it('by default, all keys but key i are candidates of query i, best first, and the lower key first among equals', async () => {
  expect(await mineHardNegatives(one, keys, { count: 6 })).toEqual({
    indices: ints(1, 2, 4, 3, 6, 5),
    scores: Float32Array.of(6, 4, 3.5, 3, 3, -1),
    shape: [1, 6],
    found: ints(6),
  });
});

it('a query with fewer negatives than count has -1 and -Infinity at the end', async () => {
  expect(await mineHardNegatives(one, keys, { count: 3, maxScore: 3.4, minScore: 0 })).toEqual({
    indices: ints(3, 6, -1),
    scores: Float32Array.of(3, 3, Number.NEGATIVE_INFINITY),
    shape: [1, 3],
    found: ints(2),
  });
});

it.each<[string, Partial<MiningOptions>, number[]]>([
  ['a score equal to positive - margin is kept', { margin: 0 }, [2, 4, 3, 6, 5]],
  ['a margin', { margin: 0.5 }, [4, 3, 6, 5]],
  ['a margin below zero lets better keys in', { margin: -2 }, [1, 2, 4, 3, 6, 5]],
  ['a relative margin is a fraction of the positive', { relativeMargin: 0.25 }, [3, 6, 5]],
  ['the stricter one of two margins holds', { margin: 0.5, relativeMargin: 0.25 }, [3, 6, 5]],
  ['the stricter one of margin and maxScore holds', { margin: 0.5, maxScore: 3 }, [3, 6, 5]],
  ['maxScore and minScore are themselves allowed', { maxScore: 4, minScore: 3.5 }, [2, 4]],
  ['range skips the first min', { range: [2, Infinity] }, [4, 3, 6, 5]],
  ['range ends before max', { count: 2, range: [1, 3] }, [2, 4]],
  [
    'max counts keys that a margin takes out, as in sentence-transformers',
    { count: 3, range: [0, 3], margin: 0.5 },
    [4],
  ],
  ['min counts keys that are left after the margin', { count: 2, range: [1, 4], margin: 0 }, [4, 3]],
])('%s', async (_, options, expected) => {
  expect(await mined(options)).toEqual(expected);
});

it('below zero, a relative margin still lowers the limit: positive - |positive| * margin', async () => {
  const negative = matrix([[-4], [-3], [-4.5], [-5], [-6]]);
  const { indices } = await mineHardNegatives(one, negative, { count: 2, relativeMargin: 0.25 });
  // -4 * (1 - 0.25) = -3 would let key 1 in
  expect(indices).toEqual(ints(3, 4));
});

describe('positives', () => {
  const queries = matrix([[1], [1]]);

  it('one key for each query', async () => {
    const { indices } = await mineHardNegatives(queries, keys, { count: 2, positives: ints(1, 4) });
    expect(indices).toEqual(ints(0, 2, 1, 0));
  });

  it('several: none is a negative, and the lowest score of them sets the limit', async () => {
    const positives = { offsets: ints(0, 2, 3), keys: ints(1, 4, 6) };
    const { indices, found } = await mineHardNegatives(queries, keys, { count: 3, margin: 0.5, positives });
    expect([indices, found]).toEqual([ints(3, 6, 5, 5, -1, -1), ints(3, 1)]);
  });

  it('none: every key may be a negative', async () => {
    const positives = { offsets: ints(0, 0, 0), keys: ints() };
    const { indices } = await mineHardNegatives(queries, keys, { count: 1, positives });
    expect(indices).toEqual(ints(1, 1));
  });

  it('more keys than queries, and positives anywhere among them', async () => {
    const positives = { offsets: ints(0, 1, 1), keys: ints(6) };
    const { indices } = await mineHardNegatives(queries, keys, { count: 6, positives });
    expect(indices).toEqual(ints(1, 0, 2, 4, 3, 5, 1, 0, 2, 4, 3, 6));
  });
});

it('keys with the id of the query are no negatives, and do not count for range', async () => {
  const ids = { queryIds: ints(7), keyIds: ints(1, 7, 2, 3, 7, 5, 3) };
  expect(await mined({ count: 3, range: [0, 3], ...ids })).toEqual([2, 3, 6]);
});

it('a copy of the positive has exactly its score, whatever the features', async () => {
  const [queries, positives] = [normalRows(90, 37, 1), normalRows(90, 37, 2)];
  const copies = matrix([...rowsOf(positives), ...rowsOf(positives)]);
  const { indices } = await mineHardNegatives(queries, copies, { count: 1, margin: 0, minScore: -1e9 });
  const { scores } = await topK(queries, copies, copies.shape[0]);
  const all = await topK(queries, copies, copies.shape[0]);
  for (let i = 0; i < 90; i++) {
    const row = all.indices.subarray(i * 180, (i + 1) * 180);
    // the key and its copy are neighbours in the order, so the copy is the best of all that score at most as much
    expect(indices[i]).toBe(row[row.indexOf(i) + 1]);
    expect(scores[i * 180 + row.indexOf(i)]).toBe(scores[i * 180 + row.indexOf(i + 90)]);
  }
});

const rowsOf = ({ data, shape: [rows, dim] }: FloatMatrix) =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * dim, (i + 1) * dim)]);

describe('random sampling', () => {
  const queries = coarsen(normalRows(200, 8, 3));
  const many = coarsen(normalRows(300, 8, 4));
  const options = { count: 3, range: [2, 12], sampling: 'random' } as const;

  it('draws candidates, each once, best first', async () => {
    const { indices, scores, found } = await mineHardNegatives(queries, many, { ...options, margin: 0.5 });
    const plain = plainCandidates(queries, many, { ...options, margin: 0.5 });
    plain.forEach(({ candidates }, query) => {
      expect(found[query]).toBe(Math.min(3, candidates.length));
      const drawn = [...indices.subarray(query * 3, query * 3 + found[query])];
      const places = drawn.map((key) => candidates.indexOf(key));
      expect(places.every((place, i) => place > (places[i - 1] ?? -1))).toBe(true);
      const expected = places.map((place) => plain[query].scores[place]);
      expect([...scores.subarray(query * 3, query * 3 + found[query])]).toEqual(expected);
    });
  });

  it('a seed draws the same again, and another seed something else', async () => {
    const draw = async (seed?: number) =>
      (await mineHardNegatives(queries, many, { ...options, ...(seed !== undefined && { seed }) })).indices;
    expect(await draw(5)).toEqual(await draw(5));
    expect(await draw()).toEqual(await draw(0));
    expect(await draw(5)).not.toEqual(await draw(6));
  });

  it('draws each candidate equally often', async () => {
    const counts = new Array<number>(10).fill(0);
    const plain = plainCandidates(queries, many, options);
    for (let seed = 0; seed < 20; seed++) {
      const { indices } = await mineHardNegatives(queries, many, { ...options, seed });
      indices.forEach((key, at) => {
        counts[plain[Math.floor(at / 3)].candidates.indexOf(key)]++;
      });
    }
    // 20 * 200 draws of 3 of 10: mean 1,200, and 5 standard deviations are 145
    for (const count of counts) expect(Math.abs(count - 1200)).toBeLessThan(145);
  });
});

describe('keys in parts', () => {
  const queries = unitRows(normalRows(70, 24, 5));
  const all = unitRows(normalRows(500, 24, 6));
  const part = (begin: number, end: number) => ({
    firstKey: begin,
    keys: { data: all.data.subarray(begin * 24, end * 24), shape: [end - begin, 24] },
  });
  const cuts = [part(100, 101), part(300, 500), part(0, 100), part(101, 300)];
  const ids = {
    queryIds: Int32Array.from({ length: 70 }, (_, i) => i % 9),
    keyIds: Int32Array.from({ length: 500 }, (_, i) => i % 31),
  };

  it.each<[string, MiningOptions]>([
    ['no limit', { count: 5 }],
    ['a margin, which needs a second reading', { count: 4, margin: 0.1 }],
    ['a margin within a range, which needs none', { count: 4, range: [1, 30], relativeMargin: 0.2 }],
    ['ids', { count: 7, ...ids }],
    ['random sampling', { count: 3, range: [5, 20], sampling: 'random', seed: 9 }],
    [
      'positives in several parts',
      { count: 2, margin: -0.2, positives: Int32Array.from({ length: 70 }, (_, i) => 7 * i) },
    ],
  ])('have the bits of one matrix: %s', async (_, options) => {
    const whole = await mineHardNegatives(queries, all, options);
    expect(whole.found.some((number) => number > 0)).toBe(true);
    expect(await mineHardNegatives(queries, cuts, options)).toEqual(whole);
    expect(await mineHardNegatives(queries, () => cuts, options)).toEqual(whole);
    const later = async function* () {
      for (const each of cuts) yield await Promise.resolve(each);
    };
    expect(await mineHardNegatives(queries, later, options)).toEqual(whole);
    const small = Array.from({ length: 20 }, (__, i) => part(25 * i, 25 * i + 25));
    expect(await mineHardNegatives(queries, small, options)).toEqual(whole);
  });

  it('an iterator is enough where the keys are read once', async () => {
    const iterator = cuts[Symbol.iterator]();
    expect(await mineHardNegatives(queries, iterator, { count: 5 })).toEqual(
      await mineHardNegatives(queries, all, { count: 5 }),
    );
  });

  it('one part is asked for at a time, and the iterable is closed after an error', async () => {
    let closed = false;
    const parts = function* () {
      try {
        yield part(0, 10);
        throw new Error('no disk');
      } finally {
        closed = true;
      }
    };
    await expect(mineHardNegatives(queries, parts, { count: 1 })).rejects.toThrow('no disk');
    expect(closed).toBe(true);
  });
});

it.each([
  ['float32 with gaps between rows', (x: FloatMatrix) => widen(x, 3)],
  ['float16', (x: FloatMatrix) => half(x, 'float16')],
  ['bfloat16', (x: FloatMatrix) => half(x, 'bfloat16')],
])('features of %s', async (_, restate) => {
  const values = [0, 0.5, -1, 2, -0.25];
  const small = (rows: number, seed: number): FloatMatrix => ({
    data: Float32Array.from({ length: rows * 6 }, (__, i) => values[(i * 7 + seed * (i >> 2)) % 5]),
    shape: [rows, 6],
  });
  const [queries, many] = [small(20, 3), small(60, 5)];
  const options = { count: 4, relativeMargin: 0.1 };
  const expected = plainNegatives(queries, many, options);
  expect(await mineHardNegatives(restate(queries), restate(many), options)).toEqual(expected);
});

/** These values are exact in both types. */
function half({ data, shape }: FloatMatrix, dtype: 'float16' | 'bfloat16') {
  const bits: Record<string, Record<number, number>> = {
    float16: { 0: 0, 0.5: 0x3800, [-1]: 0xbc00, 2: 0x4000, [-0.25]: 0xb400 },
    bfloat16: { 0: 0, 0.5: 0x3f00, [-1]: 0xbf80, 2: 0x4000, [-0.25]: 0xbe80 },
  };
  return { data: Uint16Array.from(data, (value) => bits[dtype][value]), shape, dtype };
}

it('the number of threads changes no bit', async () => {
  const [queries, many] = [normalRows(300, 32, 7), normalRows(1500, 32, 8)];
  const run = (threads: number) =>
    mineHardNegatives(queries, many, { count: 8, relativeMargin: 0.05, threads });
  const expected = await run(1);
  for (const threads of [2, 5]) expect(await run(threads)).toEqual(expected);
});

it('reports the keys that are done, in parts with their fraction where keyIds tell the number of keys', async () => {
  const part = (firstKey: number, rows: number) => ({
    firstKey,
    keys: gatherRows(keys, ints(...Array(rows).fill(0))),
  });
  const parts = () => [part(0, 2), part(2, 3)];
  const seen: MiningProgress[] = [];
  const onProgress = (done: MiningProgress) => void seen.push(done);
  await mineHardNegatives(one, parts, { count: 1, margin: 0, onProgress });
  expect(seen.filter(({ phase }) => phase === 'positives').map(({ keys: done }) => done)).toEqual([2, 5]);
  expect(seen.at(-1)).toEqual({ phase: 'search', keys: 5, fraction: undefined });
  await mineHardNegatives(one, parts, {
    count: 1,
    queryIds: ints(9),
    keyIds: ints(1, 2, 3, 4, 5),
    onProgress,
  });
  expect(seen.at(-1)).toEqual({ phase: 'search', keys: 5, fraction: 1 });
  await mineHardNegatives(one, keys, { count: 1, onProgress });
  expect(seen.at(-1)).toEqual({ phase: 'search', keys: 7, fraction: 1 });
});
