/** The generator of shuffles: the published sequence, even permutations, and streams that differ. */

import { permutation, Random } from '../../lib/data/random';
import { hashText } from '../../lib/data/text-hash';

it('integers below a bound are equally frequent, also where the bound does not divide 2^32', () => {
  const random = new Random(3);
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
  // the standard deviation is 93
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(450);
  const high = new Random(4);
  let above = 0;
  // by a mere remainder, two thirds of the numbers would be below 2^31 / 2
  const bound = 3 * 2 ** 30;
  for (let i = 0; i < 10_000; i++) if (high.below(bound) >= bound / 2) above++;
  expect(Math.abs(above - 5000)).toBeLessThan(250);
});

it('all orders of four rows are equally frequent', () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 12_000; seed++) {
    const order = permutation(4, new Random(seed, 1, 2)).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(115);
});

it('each list of numbers has a stream of its own, and always the same one', () => {
  const lists = [[0], [1], [0, 0], [0, 1], [1, 0], [2 ** 32], [2 ** 32 + 1], [2 ** 53 - 1], [0, 0, 0]];
  const first = lists.map((list) => new Random(...list).next32());
  expect(new Set(first).size).toBe(lists.length);
  expect(lists.map((list) => new Random(...list).next32())).toEqual(first);
});

it('orders stay the same in later versions, as saved positions need them', () => {
  expect([...permutation(10, new Random(1, 2, 3))]).toEqual([5, 3, 7, 8, 2, 9, 6, 4, 0, 1]);
});

it('few of many texts have the same hash', () => {
  const hashes = new Set(Array.from({ length: 50_000 }, (_, i) => hashText(`text ${i.toString(36)}`)));
  expect(hashes.size).toBe(50_000);
  for (const hash of [...hashes].slice(0, 1000)) expect(Number.isSafeInteger(hash)).toBe(true);
});
