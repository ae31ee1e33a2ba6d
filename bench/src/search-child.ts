/**
 * One search of infcl, or its loss alone, for each line on stdin (see line-process.ts). Timed from the public call to
 * the moment its promise has settled: validation, the search for NaN and the result's own memory are inside.
 */
import { createInterface } from 'node:readline';
import { contrastiveLoss, topK } from 'infcl';
import type { EngineAnswer } from './engine.js';
import { measureGrowth } from './resident.js';
import type { SearchCall, SearchEngine } from './search.js';
import { unitRows } from './unit-rows.js';

const { first, ...shape } = JSON.parse(process.argv[2]) as SearchEngine;
const queries = { data: unitRows(shape.queries, shape.dim, 1), shape: [shape.queries, shape.dim] as const };
const keys = { data: unitRows(shape.keys, shape.dim, 2), shape: [shape.keys, shape.dim] as const };

async function call({ k, threads }: SearchCall): Promise<void> {
  if (k === undefined) await contrastiveLoss(queries, keys, { objective: 'infonce', threads });
  else await topK(queries, keys, k, { threads });
}

const { firstBytes, laterBytes } = await measureGrowth(() => call(first));
console.log(`ready ${JSON.stringify({ firstBytes, laterBytes })}`);
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as SearchCall;
  const start = performance.now();
  await call(request);
  const answer: EngineAnswer = { seconds: (performance.now() - start) / 1e3 };
  console.log(JSON.stringify(answer));
}
