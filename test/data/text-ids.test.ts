/** Ids of texts: equal for equal texts, and for rows that belong together. The oracle follows links by search. */

import { chunkedStep, type FeatureGrads } from '../../lib';
import { type BatchTexts, batchTowers, pairIds, textChunks, textIds } from '../../lib/data';
import { Random } from '../../lib/data/random';

it('equal texts have equal ids, in the order in which they first occur', () => {
  expect([...textIds(['b', 'a', 'b', 'é', 'e\u0301', 'B'])]).toEqual([0, 1, 0, 2, 3, 4]);
  expect([...textIds([])]).toEqual([]);
});

it('lists that share a map have ids that fit', () => {
  const known = new Map<string, number>();
  expect([...textIds(['a', 'b'], known)]).toEqual([0, 1]);
  expect([...textIds(['c', 'b', 'a'], known)]).toEqual([2, 1, 0]);
});

/** Whether two texts are linked: equal, or joined by pairs of a query and its key. By search, row after row. */
function linked(queries: string[], keys: string[], from: string, to: string): boolean {
  const reached = new Set([from]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    queries.forEach((query, i) => {
      if (reached.has(query) || reached.has(keys[i]!)) reached.add(query).add(keys[i]!);
    });
  }
  return reached.has(to);
}

it('pairIds: two rows have the same id exactly if their texts are linked', () => {
  const random = new Random(7);
  for (let round = 0; round < 60; round++) {
    const rows = 1 + random.below(12);
    const vocabulary = 2 + random.below(30);
    const texts = (count: number) => Array.from({ length: count }, () => `t${random.below(vocabulary)}`);
    const batch = { queries: texts(rows), keys: texts(rows), hardNegatives: texts(rows * random.below(3)) };
    const { queryIds, keyIds, hardNegativeIds } = pairIds(batch);
    const all = [...batch.keys, ...batch.hardNegatives];
    expect([keyIds.length, hardNegativeIds.length]).toEqual([rows, batch.hardNegatives.length]);
    const allIds = [...keyIds, ...hardNegativeIds];
    batch.queries.forEach((query, i) => {
      expect(queryIds[i]).toBe(keyIds[i]);
      all.forEach((key, j) => {
        expect(queryIds[i] === allIds[j]).toBe(linked(batch.queries, batch.keys, query, key));
      });
    });
  }
});

it('pairIds of different texts masks nothing but the positives', () => {
  const { queryIds, keyIds, hardNegativeIds } = pairIds({
    queries: ['a', 'b'],
    keys: ['c', 'd'],
    hardNegatives: ['e', 'f'],
  });
  expect(queryIds).toEqual(keyIds);
  expect(new Set([...keyIds, ...hardNegativeIds]).size).toBe(4);
});

it('a long chain of rows has one id', () => {
  const rows = 5000;
  const queries = Array.from({ length: rows }, (_, i) => `t${i}`);
  const keys = Array.from({ length: rows }, (_, i) => `t${i + 1}`);
  expect(new Set(pairIds({ queries, keys, hardNegatives: [] }).keyIds).size).toBe(1);
});

it('textChunks: every call of the function gives the same texts again', () => {
  const chunks = textChunks(['a', 'b', 'c', 'd', 'e'], 2);
  const expected = [['a', 'b'], ['c', 'd'], ['e']];
  expect([...chunks()]).toEqual(expected);
  expect([...chunks()]).toEqual(expected);
  expect([...textChunks([], 2)()]).toEqual([]);
});

describe('batchTowers', () => {
  const encode = () => ({ data: new Float32Array(1), shape: [1, 1] });
  const [encoder, keyEncoder] = [{ encode }, { encode }];
  const batch = { queries: ['a', 'b'], keys: ['c', 'd'], hardNegatives: ['e', 'f', 'g', 'a'] };
  const textsOf = (tower: { chunks: () => unknown }) => [...(tower.chunks() as Iterable<string[]>)];
  const { queryIds, keyIds, hardNegativeIds } = pairIds(batch);

  it('hard negatives are further keys', () => {
    const { towers, ids } = batchTowers(batch, { encoder, keyEncoder, chunkRows: 4 });
    expect(Object.keys(towers)).toEqual(['queries', 'keys']);
    expect(towers.queries.encoder).toBe(encoder);
    expect(towers.keys.encoder).toBe(keyEncoder);
    expect([towers.queries.rows, towers.keys.rows]).toEqual([2, 6]);
    expect(textsOf(towers.queries)).toEqual([['a', 'b']]);
    expect(textsOf(towers.keys)).toEqual([
      ['c', 'd', 'e', 'f'],
      ['g', 'a'],
    ]);
    expect(ids.queryIds).toEqual(queryIds);
    expect([...ids.keyIds]).toEqual([...keyIds, ...hardNegativeIds]);
  });

  it('hard negatives are a tower of their own', () => {
    const { towers, ids } = batchTowers(batch, { encoder, keyEncoder, chunkRows: 3, hardNegatives: 'tower' });
    expect(towers.hardNegatives!.encoder).toBe(keyEncoder);
    expect([towers.keys.rows, towers.hardNegatives!.rows, towers.hardNegatives!.perQuery]).toEqual([2, 4, 2]);
    expect(textsOf(towers.keys)).toEqual([['c', 'd']]);
    expect(textsOf(towers.hardNegatives!)).toEqual([['e', 'f', 'g'], ['a']]);
    expect(towers.hardNegatives!.ids).toEqual(hardNegativeIds);
    expect(ids).toEqual({ queryIds, keyIds });
  });

  it('pairs have no third tower, and one encoder may serve all towers', () => {
    const pairs = { ...batch, hardNegatives: [] };
    const { towers } = batchTowers(pairs, { encoder, chunkRows: 4, hardNegatives: 'tower' });
    expect(Object.keys(towers)).toEqual(['queries', 'keys']);
    expect(towers.keys.encoder).toBe(encoder);
  });

  /** A feature for each text, which the text alone decides. */
  const features = (texts: string[]) => {
    const rows = texts.map((text) =>
      [0, 1, 2].map((d) => Math.sin(text.charCodeAt(0) * (d + 1) + text.length)),
    );
    return { data: Float32Array.from(rows.flat()), shape: [texts.length, 3] };
  };
  const recorded = () => {
    const sums = new Map<string, number>();
    return {
      sums,
      encode: features,
      backward(texts: string[], { data }: FeatureGrads) {
        texts.forEach((text, i) => {
          sums.set(text, (sums.get(text) ?? 0) + data[3 * i]!);
        });
      },
    };
  };

  it.each(['keys', 'tower'] as const)(
    'a step trains the hard negatives as %s, and ids mask false ones',
    async (place) => {
      // "dd" is the key of the second query: no negative of this query
      const texts = { queries: ['a', 'b'], keys: ['cc', 'dd'], hardNegatives: ['e', 'f', 'g', 'dd'] };
      const run = async (one: BatchTexts) => {
        const tower = recorded();
        const { towers, ids } = batchTowers(one, { encoder: tower, chunkRows: 3, hardNegatives: place });
        const { loss } = await chunkedStep({
          ...towers,
          loss: { objective: 'infonce', logitScale: 2, ...ids },
        });
        return { loss, sums: tower.sums };
      };
      const { loss, sums } = await run(texts);
      for (const text of ['a', 'b', 'cc', 'dd', 'e', 'f', 'g'])
        expect(Math.abs(sums.get(text)!)).toBeGreaterThan(1e-6);
      const logit = (one: string, other: string) => {
        const [x, y] = [features([one]).data, features([other]).data];
        return 2 * (x[0]! * y[0]! + x[1]! * y[1]! + x[2]! * y[2]!);
      };
      // as further keys, "dd" also counts twice against the first query
      const negatives =
        place === 'keys'
          ? [
              ['dd', 'e', 'f', 'g', 'dd'],
              ['cc', 'e', 'f', 'g'],
            ]
          : [
              ['dd', 'e', 'f'],
              ['cc', 'g'],
            ];
      const losses = texts.queries.map((query, i) => {
        const positive = logit(query, texts.keys[i]!);
        const sum = negatives[i]!.reduce(
          (total, key) => total + Math.exp(logit(query, key)),
          Math.exp(positive),
        );
        return Math.log(sum) - positive;
      });
      expect(loss).toBeCloseTo((losses[0]! + losses[1]!) / 2, 5);
    },
  );
});
