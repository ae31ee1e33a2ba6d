/**
 * Terminates workers at random moments of their calls, then checks that this process still computes what it did.
 * Prints how long terminate() took.
 */
import { once } from 'node:events';
import { seeded, solve } from '../problems';
import { startWorker } from './start-worker';

export interface TerminateAnswer {
  exitCodes: number[];
  milliseconds: number[];
  before: string;
  after: string;
}

const ways = ['async', 'queued', 'sync'] as const;

async function run({ rounds, seed }: { rounds: number; seed: number }): Promise<void> {
  const random = seeded(seed);
  const before = solve(1);
  const exitCodes: number[] = [];
  const milliseconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const how = ways[round % ways.length]!;
    // a blocking call is over in some hundredths of a second, others would run for seconds
    const rows = how === 'sync' ? 2048 : 16_384;
    const worker = startWorker({ kind: 'victim', rows, dim: 64, how });
    await once(worker, 'message');
    await new Promise((resolve) => setTimeout(resolve, random() * 60));
    const start = performance.now();
    exitCodes.push(await worker.terminate());
    milliseconds.push(performance.now() - start);
  }
  const answer: TerminateAnswer = { exitCodes, milliseconds, before, after: solve(1) };
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
