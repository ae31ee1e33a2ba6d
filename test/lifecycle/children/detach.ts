/**
 * Takes an array of a running call away: transfers its buffer, drops the receiver and collects garbage, so that nobody
 * but native code still has the memory. Needs --expose-gc. Prints how each call ended.
 */
import { MessageChannel } from 'node:worker_threads';
import { contrastiveLossAndGrad, type InfclError } from '../../../lib';
import { features, seeded, solve } from '../problems';

export interface DetachOrder {
  rounds: number;
  rows: number;
}

export interface DetachAnswer {
  /** One per round: the victim, and the code of the error or 'fulfilled'. */
  ends: [victim: string, end: string][];
  before: string;
  after: string;
}

const dim = 64;
const collect = (globalThis as { gc?: () => void }).gc!;
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function takeAway(buffer: ArrayBuffer, way: number): void {
  if (way % 2 === 0) structuredClone(buffer, { transfer: [buffer] });
  else {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(buffer, [buffer]);
    port1.close();
    port2.close();
  }
}

async function round(number: number, rows: number, milliseconds: number): Promise<[string, string]> {
  const matrix = (seed: number) => ({
    data: new Float32Array(features(rows, dim, seed).data),
    shape: [rows, dim] as const,
  });
  const arrays = { queries: matrix(1), keys: matrix(2) };
  const ids = Int32Array.from({ length: rows }, (_, i) => i);
  const out = { queryGrads: new Float32Array(rows * dim), keyGrads: new Float32Array(rows * dim) };
  const victims: [string, ArrayBufferView][] = [
    ['queries', arrays.queries.data],
    ['keys', arrays.keys.data],
    ['queryGrads', out.queryGrads],
    ['keyGrads', out.keyGrads],
    ['queryIds', ids],
  ];
  const [name, victim] = victims[number % victims.length]!;
  const call = contrastiveLossAndGrad(arrays.queries, arrays.keys, {
    out,
    queryIds: ids,
    keyIds: ids,
    threads: 2,
  }).then(
    () => 'fulfilled',
    (error: InfclError) => error.code,
  );
  await sleep(milliseconds);
  takeAway(victim.buffer as ArrayBuffer, number);
  victims.length = 0;
  collect();
  await sleep(1);
  collect();
  return [name, await call];
}

async function run({ rounds, rows }: DetachOrder): Promise<void> {
  const random = seeded(3);
  const before = solve(1);
  const ends: DetachAnswer['ends'] = [];
  for (let number = 0; number < rounds; number++)
    ends.push(await round(number, rows, random() * (rows > 1000 ? 40 : 3)));
  const answer: DetachAnswer = { ends, before, after: solve(1) };
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
