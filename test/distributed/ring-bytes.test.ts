/**
 * The bytes that ranks send (stats.ring), against scripts/ring/messages.mjs, which has the formula of docs/ring.md:
 * every objective and the options that travel, 2 to 5 ranks, uneven shards. Equal to the byte.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type AnyContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  type Stats,
  toBFloat16,
} from '../../lib';
import { makePair } from '../reference/inputs';
import { type BatchOptions, cutsOf, lossOnRanks, onRanks, rowsOf } from './ranks';

const messages = pathToFileURL(join(__dirname, '..', '..', 'scripts', 'ring', 'messages.mjs')).href;
const [rows, dim] = [67, 12];
const batch = makePair({ rows, dim, seed: 5 });
const ids = Int32Array.from({ length: rows }, (_, i) => i % 29);
const labels = Int32Array.from({ length: rows }, (_, i) => (i * 13 + 50) % rows);
const counts = [2, 3, 4, 5];

interface Shard {
  queries: number;
  keys: number;
  queryGrads?: number;
  keyGrads?: number;
}
interface Call {
  objective: string;
  shards: Shard[];
  dim: number;
  [option: string]: unknown;
}
type Sent = Record<'limits' | 'forward' | 'backward', number>;

/** What the formula says of each rank of each call. One process computes all, since a start costs most. */
function formula(calls: Call[]): Sent[][] {
  const code = `import { bytesSent } from ${JSON.stringify(messages)};
    const calls = ${JSON.stringify(calls)};
    console.log(JSON.stringify(calls.map((call) => call.shards.map((_, rank) => bytesSent(call, rank)))));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }),
  );
}

const counted = ({ ring = [] }: Pick<Stats, 'ring'>): Sent => {
  const sent = { limits: 0, forward: 0, backward: 0 };
  for (const { phase, bytesSent } of ring) sent[phase as keyof Sent] += bytesSent;
  return sent;
};

const shardsOf = (ranks: number, keys = true): Shard[] => {
  const cuts = cutsOf(rows, ranks);
  return cuts
    .slice(1)
    .map((end, rank) => ({ queries: end - cuts[rank]!, keys: keys ? end - cuts[rank]! : 0 }));
};

/** Options of the call, and what the formula is told of them. */
const cases: [name: string, options: BatchOptions, told: Record<string, unknown>][] = [
  ['clip', {}, {}],
  ['clip with ids', { queryIds: ids, keyIds: ids }, { ids: true }],
  ['clip with a margin', { falseNegativeMargin: 0.2 }, { margin: true }],
  ['clip with smoothing', { labelSmoothing: 0.1 }, { smoothing: true }],
  ['clip with frozen keys', { grad: { keys: false } }, { keyGrads: 0 }],
  ['infonce', { objective: 'infonce' }, {}],
  [
    'infonce, labels, margin',
    { objective: 'infonce', labels, falseNegativeMargin: 0.1 },
    { labels: true, margin: true },
  ],
  ['siglip', { objective: 'siglip' }, {}],
  ['ntxent', { objective: 'ntxent', logitScale: 5 }, {}],
  ['ntxent with smoothing', { objective: 'ntxent', labelSmoothing: 0.1 }, { smoothing: true }],
  ['ntxent with frozen queries', { objective: 'ntxent', grad: { queries: false } }, { queryGrads: 0 }],
  ['supcon', { objective: 'supcon', labels: ids, logitScale: 5 }, {}],
  [
    'directions',
    { directions: ['queryToKey', 'keyToQuery', 'queryToQuery'] },
    { objective: 'infonce', directions: ['queryToKey', 'keyToQuery', 'queryToQuery'] },
  ],
  [
    'directions without keys as anchors',
    { directions: ['queryToKey', 'keyToKey'] },
    { objective: 'infonce', directions: ['queryToKey', 'keyToKey'] },
  ],
];

it.each(cases)('%s: as many bytes as the formula says', async (_, options, told) => {
  const { keyGrads, queryGrads, ...rest } = told as Partial<Shard>;
  const expected = formula(
    counts.map((ranks) => ({
      objective: options.objective ?? 'clip',
      dim,
      ...rest,
      shards: shardsOf(ranks).map((shard) => ({ ...shard, keyGrads, queryGrads })),
    })),
  );
  for (const [at, ranks] of counts.entries()) {
    const found = await lossOnRanks(ranks, batch, options);
    expect(found.map(({ stats }) => counted(stats))).toEqual(expected[at]);
    expect(expected[at]![0]!.backward).toBeGreaterThan(0);
  }
});

it('supcon over the queries alone', async () => {
  const shards = shardsOf(4, false);
  const [alone] = formula([{ objective: 'supcon', shards, dim }]);
  const options: BatchOptions = { objective: 'supcon', labels: ids, logitScale: 5 };
  const found = await lossOnRanks(4, { queries: batch.queries, keys: null }, options);
  expect(found.map(({ stats }) => counted(stats))).toEqual(alone);
});

it('a loss alone', async () => {
  const ranks = 4;
  const cuts = cutsOf(rows, ranks);
  const [expected] = formula([{ objective: 'clip', shards: shardsOf(ranks), dim, gradient: false }]);
  const found = await onRanks(ranks, (group, rank) => {
    const [begin, end] = [cuts[rank]!, cuts[rank + 1]!];
    const keys = rowsOf(batch.keys, begin, end);
    return contrastiveLoss(rowsOf(batch.queries, begin, end), keys, { group, threads: 1 });
  });
  expect(found.map(({ stats }) => counted(stats).forward)).toEqual(expected!.map(({ forward }) => forward));
});

it('16 bits, more keys than queries, and a bank of which few keys are trained', async () => {
  const ranks = 3;
  const keys = makePair({ rows: 2 * rows, dim, seed: 8 }).keys;
  const cuts = cutsOf(rows, ranks);
  const shards = shardsOf(ranks).map(({ queries }) => ({ queries, keys: 2 * queries, keyGrads: 3 }));
  const [expected] = formula([{ objective: 'infonce', shards, dim, dtype: 'bfloat16' }]);
  const found = await onRanks(ranks, (group, rank) => {
    const [begin, end] = [cuts[rank]!, cuts[rank + 1]!];
    const options = { objective: 'infonce', grad: { keys: { rows: 3 } }, threads: 1, group };
    return contrastiveLossAndGrad(
      toBFloat16(rowsOf(batch.queries, begin, end)),
      toBFloat16(rowsOf(keys, 2 * begin, 2 * end)),
      options as AnyContrastiveOptions,
    );
  });
  expect(found.map(({ stats }) => counted(stats))).toEqual(expected);
});
