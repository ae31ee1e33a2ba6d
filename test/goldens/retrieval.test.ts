/** retrievalMetrics, and its oracle, against numbers that sentence-transformers' own evaluator gave. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { retrievalMetrics, type TopKMetrics } from '../../lib';
import type { FloatMatrix } from '../reference/inputs';
import { bestOf, compressed, metricsAt, ranking, ranksOf, scoresOf } from '../reference/retrieval';

interface Golden {
  queries: number;
  keys: number;
  dim: number;
  relevant: number[][];
  /** 'accuracy@k' and others, each by k. */
  want: Record<string, Record<string, number>>;
}

const golden = JSON.parse(readFileSync(join(__dirname, 'retrieval.golden.json'), 'utf8')) as Golden;

/** The hash that the golden file states. */
function feature(i: number, d: number, seed: number): number {
  let x = (Math.imul(i + 1, 73856093) ^ Math.imul(d + 1, 19349663) ^ Math.imul(seed, 83492791)) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 2246822519) >>> 0;
  return (((x >>> 8) % 2001) - 1000) / 1000;
}

function features(rows: number, seed: number): FloatMatrix {
  const { dim } = golden;
  const data = Float32Array.from({ length: rows * dim }, (_, at) =>
    feature(Math.floor(at / dim), at % dim, seed),
  );
  return { data, shape: [rows, dim] };
}

const [queries, keys] = [features(golden.queries, 31), features(golden.keys, 32)];
const scores = golden.relevant.map((_, query) => scoresOf(queries, keys, query));

/** 'accuracyAt' for 'accuracy@k'. */
const nameOf = (word: string) => word.replace('@k', 'At') as keyof TopKMetrics;
const wanted = Object.entries(golden.want).flatMap(([word, byK]) =>
  Object.entries(byK).map(([k, value]) => [nameOf(word), Number(k), value] as const),
);

it('has every metric of the evaluator', () => {
  expect([...new Set(wanted.map(([name]) => name))].sort()).toEqual([
    'accuracyAt',
    'mapAt',
    'mrrAt',
    'ndcgAt',
    'precisionAt',
    'recallAt',
  ]);
});

it('the defaults are those of the evaluator', () => {
  const metrics = retrievalMetrics(bestOf(scores, 100), { relevant: compressed(golden.relevant) });
  const at = Object.entries(metrics).flatMap(([name, byK]) => Object.keys(byK).map((k) => [name, Number(k)]));
  expect(at.sort()).toEqual(wanted.map(([name, k]) => [name, k]).sort());
});

it.each(wanted)('%s %d is %d', (name, k, value) => {
  const metrics = retrievalMetrics(bestOf(scores, 100), { relevant: compressed(golden.relevant) });
  expect(metrics[name][k]).toBeCloseTo(value, 14);
  expect(metricsAt(k, scores.map(ranking), golden.relevant)[name]).toBeCloseTo(value, 14);
});

it('ranks of the best relevant key give the same accuracy and MRR', () => {
  const best = scores.map((row, query) => ranking(row).find((key) => golden.relevant[query].includes(key))!);
  const metrics = retrievalMetrics(ranksOf(scores, best));
  for (const [name, k, value] of wanted) {
    if (name === 'accuracyAt' || name === 'mrrAt') expect(metrics[name][k]).toBeCloseTo(value, 14);
  }
});
