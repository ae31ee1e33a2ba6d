/**
 * One measured call of infcl for each line on stdin (see line-process.ts). Timed from the public call to its
 * return, with outputs allocated beforehand as for the floor. All else that a caller pays for is inside:
 * validation, the search for NaN, packing, exp, log-sum-exp.
 */
import { createInterface } from 'node:readline';
import {
  type AnyContrastiveOptions,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type Stats,
} from 'infcl';
import type { EngineAnswer, EngineRequest, EngineShape } from './engine.js';
import { measureGrowth } from './resident.js';
import { pairedRows, unitRows } from './unit-rows.js';

const {
  rows,
  dim,
  cosines,
  keys: keyRows = rows,
  growthThreads,
} = JSON.parse(process.argv[2]) as EngineShape;
const [allQueries, keyData] = cosines
  ? pairedRows(keyRows, dim, cosines)
  : [unitRows(rows, dim, 1), unitRows(keyRows, dim, 2)];
const queryData = allQueries.subarray(0, rows * dim);
const queries = { data: queryData, shape: [rows, dim] as const };
const keys = { data: keyData, shape: [keyRows, dim] as const };
const out = { queryGrads: new Float32Array(rows * dim), keyGrads: new Float32Array(keyRows * dim) };

const half = Math.floor(rows / 2);
const split = (data: Float32Array) => [
  data.subarray(0, half * dim),
  data.subarray(half * dim, 2 * half * dim),
];
const [firstHalf, secondHalf] = split(queryData).map((data) => ({ data, shape: [half, dim] as const }));
const [firstGrads, secondGrads] = split(out.queryGrads);
const halvesOut = { queryGrads: firstGrads, keyGrads: secondGrads };

function call({ products = 'full', threads, halves, classes, ...request }: EngineRequest): Stats {
  const options: AnyContrastiveOptions = { threads, ...request.options };
  if (classes) options.labels = new Int32Array(halves ? half : rows).map((_, i) => i % classes);
  if (halves) return contrastiveLossAndGradSync(firstHalf, secondHalf, { ...options, out: halvesOut }).stats;
  if (products === 'forward') return contrastiveLossSync(queries, keys, options).stats;
  if (products === 'full') return contrastiveLossAndGradSync(queries, keys, { ...options, out }).stats;
  const frozen = { ...options, grad: { keys: false }, out: { queryGrads: out.queryGrads } };
  return contrastiveLossAndGradSync(queries, keys, frozen).stats;
}

function answer(request: EngineRequest): EngineAnswer {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1e3;
  if (!request.poisoned) {
    const stats = call(request);
    return { seconds: seconds(), stats };
  }
  const last = keys.data.length - 1;
  const was = keys.data[last];
  keys.data[last] = Number.NaN;
  try {
    call(request);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_NOT_FINITE') return { seconds: seconds() };
    throw error;
  } finally {
    keys.data[last] = was;
  }
  throw new Error('a NaN in the last key went unnoticed');
}

/** Touches every page, starts the workers; refuses an instruction set that is not here. */
const firstCall = (threads?: number) =>
  answer({ threads, options: { objective: keyRows > rows ? 'infonce' : 'clip' } });

if (growthThreads) {
  const { firstBytes, laterBytes } = await measureGrowth(() => firstCall(growthThreads));
  console.log(`ready ${JSON.stringify({ firstBytes, laterBytes })}`);
} else {
  firstCall();
  console.log('ready');
}
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line) as EngineRequest)));
}
