/** Several workers and the main thread solve the same problems at the same time; prints everybody's digests. */
import { contrastiveLossAndGrad } from '../../../lib';
import { digest, problem } from '../problems';
import { solveInWorker } from './start-worker';

export interface ManyWorkersAnswer {
  main: string[];
  workers: string[][];
}

async function run({ workers, problems }: { workers: number; problems: number }): Promise<void> {
  const numbers = Array.from({ length: problems }, (_, i) => i);
  const others = Array.from({ length: workers }, () => solveInWorker(numbers));
  const main: string[] = [];
  for (const number of numbers) {
    const { queries, keys, options } = problem(number);
    main.push(digest(await contrastiveLossAndGrad(queries, keys, options)));
  }
  const answer: ManyWorkersAnswer = { main, workers: await Promise.all(others) };
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
