/** Leaves the process, in one of several ways, while calls run and wait. */
import { contrastiveLossAndGrad } from '../../../lib';
import { features } from '../problems';
import { startWorker } from './start-worker';

export interface ExitOrder {
  how: 'exit' | 'throw' | 'exitInWorkers';
  milliseconds: number;
  /** What 'throw' throws. */
  message: string;
}

function run({ how, milliseconds, message }: ExitOrder): void {
  const queries = features(16_384, 64, 1);
  const keys = features(16_384, 64, 2);
  for (let i = 0; i < 3; i++) void contrastiveLossAndGrad(queries, keys);
  if (how === 'exitInWorkers') {
    for (let i = 0; i < 2; i++) startWorker({ kind: 'victim', rows: 8192, dim: 64, how: 'async' });
  }
  setTimeout(() => {
    if (how === 'throw') throw new Error(message);
    process.exit(7);
  }, milliseconds);
}

run(JSON.parse(process.argv[2]!));
