/** The ranks of positives among the keys of all ranks, against one process over all keys. */
import { ranks, toFloat16 } from '../../lib';
import { makePair } from '../reference/inputs';
import { cutsOf, onRanks, rowsOf } from './ranks';

const [rows, dim] = [150, 12];
const { queries, keys } = makePair({ rows, dim, seed: 9 });
// ties of many keys with positives, on several ranks
keys.data.copyWithin(120 * dim, 3 * dim, 19 * dim);
keys.data.copyWithin(60 * dim, 3 * dim, 9 * dim);

const one = Int32Array.from({ length: rows }, (_, i) => (i * 37 + 5) % rows);
/** One to three positives of each query, anywhere. */
const lists = {
  offsets: Int32Array.from({ length: rows + 1 }, (_, i) => 2 * i - (i % 2)),
  keys: new Int32Array(2 * rows).map((_, at) => (at * 53 + 11) % rows),
};

const slices: Record<string, (begin: number, end: number) => object> = {
  'the own key': () => ({}),
  'one key anywhere': (begin, end) => ({ positives: one.slice(begin, end) }),
  'several keys anywhere': (begin, end) => {
    const [from, to] = [lists.offsets[begin]!, lists.offsets[end]!];
    const offsets = lists.offsets.slice(begin, end + 1).map((offset) => offset - from);
    return { positives: { offsets, keys: lists.keys.slice(from, to) } };
  },
};

describe.each([1, 2, 3, 5])('%i ranks', (size) => {
  const cuts = cutsOf(rows, size);

  it.each(Object.entries(slices))('%s', async (_, optionsOf) => {
    for (const part of [(m: ReturnType<typeof rowsOf>) => m, toFloat16] as const) {
      const of = (begin: number, end: number) =>
        [part(rowsOf(queries, begin, end)), part(rowsOf(keys, begin, end))] as const;
      const whole = await ranks(...of(0, rows), optionsOf(0, rows));
      expect(whole.pessimistic).not.toEqual(whole.optimistic);
      const fractions: number[] = [];
      const found = await onRanks(size, (group, rank) => {
        const [begin, end] = [cuts[rank]!, cuts[rank + 1]!];
        const onProgress = ({ fraction }: { fraction: number }) => void (rank || fractions.push(fraction));
        return ranks(...of(begin, end), { ...optionsOf(begin, end), group, threads: 1, onProgress });
      });
      for (const name of ['rank', 'optimistic', 'pessimistic'] as const) {
        expect(found.flatMap((result) => [...result[name]])).toEqual([...whole[name]]);
      }
      expect(fractions.at(-1)).toBe(1);
    }
  });
});

it.each<[string, object, string, string]>([
  ['ids', { keyIds: one }, 'ERR_NOT_IMPLEMENTED', 'options.keyIds beside options.group'],
  ['ids of both sides', { keyIds: one, queryIds: one }, 'ERR_NOT_IMPLEMENTED', 'options.queryIds beside'],
  ['an unknown option', { positive: one }, 'ERR_OPTION', 'Unknown name positive'],
  [
    'a positive of no rank',
    { positives: one.map((key, i) => (i === 3 ? 300 : key)) },
    'ERR_VALUE',
    'key index from 0 to 299, among the keys of all ranks, for positive 3 of options.positives',
  ],
])('%s on one rank: the others do not wait', (_, more, code, text) =>
  onRanks(2, async (group, rank) => {
    const call = (options: object) => ranks(queries, keys, { ...options, group, threads: 1 });
    const error = await call(rank === 1 ? more : {}).then(
      () => ({ code: 'none', message: '' }),
      (thrown) => thrown as { code: string; message: string },
    );
    expect(error.code).toBe(rank === 1 ? code : 'ERR_RANK_FAILED');
    expect(error.message).toContain(text);
    const { rank: after } = await call({});
    expect(after).toHaveLength(rows);
  }),
);
