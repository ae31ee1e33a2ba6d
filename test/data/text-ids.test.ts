/** Ids of texts: equal for equal texts, and for rows that belong together. The oracle follows links by search. */

import { batchTowers, pairIds, textChunks, textIds } from '../../lib/data';
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
    const { queryIds, keyIds } = pairIds(batch);
    const all = [...batch.keys, ...batch.hardNegatives];
    expect(keyIds).toHaveLength(all.length);
    batch.queries.forEach((query, i) => {
      expect(queryIds[i]).toBe(keyIds[i]);
      all.forEach((key, j) => {
        expect(queryIds[i] === keyIds[j]).toBe(linked(batch.queries, batch.keys, query, key));
      });
    });
  }
});

it('pairIds of different texts masks nothing but the positives', () => {
  const { queryIds, keyIds } = pairIds({ queries: ['a', 'b'], keys: ['c', 'd'], hardNegatives: ['e', 'f'] });
  expect(queryIds[0]).toBe(keyIds[0]);
  expect(new Set(keyIds).size).toBe(4);
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

it('batchTowers: hard negatives are further keys', () => {
  const encode = () => ({ data: new Float32Array(1), shape: [1, 1] });
  const [encoder, keyEncoder] = [{ encode }, { encode }];
  const batch = { queries: ['a', 'b'], keys: ['c', 'd'], hardNegatives: ['e', 'f', 'g', 'a'] };
  const { queries, keys, ids } = batchTowers(batch, { encoder, keyEncoder, chunkRows: 4 });
  expect([queries.encoder, keys.encoder]).toEqual([encoder, keyEncoder]);
  expect(queries.encoder).toBe(encoder);
  expect(keys.encoder).toBe(keyEncoder);
  expect([queries.rows, keys.rows]).toEqual([2, 6]);
  expect([...(queries.chunks() as Iterable<string[]>)]).toEqual([['a', 'b']]);
  expect([...(keys.chunks() as Iterable<string[]>)]).toEqual([
    ['c', 'd', 'e', 'f'],
    ['g', 'a'],
  ]);
  expect(ids).toEqual(pairIds(batch));
  expect(batchTowers(batch, { encoder, chunkRows: 4 }).keys.encoder).toBe(encoder);
});
