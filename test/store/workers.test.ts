/** Threads open a file by its path: equal bits everywhere, and a thread that ends takes its own mapping alone. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { contrastiveLossAndGradSync } from '../../lib';
import { digest, features } from '../lifecycle/problems';
import { storeOf, temporaryFolder } from './stores';

const path = temporaryFolder();
const registerTypescript = join(__dirname, '..', 'child', 'register-typescript.cjs');

const startWorker = (how: 'solve' | 'stay') =>
  new Worker(join(__dirname, 'children', 'open-in-worker.ts'), {
    workerData: { file: path('shared'), how },
    execArgv: ['-r', registerTypescript],
  });

it('two threads compute on one file', async () => {
  const x = features(600, 40, 1);
  using store = await storeOf(path('shared'), x);
  const workers = [startWorker('solve'), startWorker('solve')];
  const answers = workers.map(async (worker) => {
    const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    return answer as string;
  });
  const expected = digest(contrastiveLossAndGradSync(x, x));
  expect(digest(contrastiveLossAndGradSync(store, store))).toBe(expected);
  expect(await Promise.all(answers)).toEqual([expected, expected]);
});

it('a thread that is ended in the middle of a call leaves the file to the others', async () => {
  const x = features(2000, 64, 2);
  using store = await storeOf(path('shared'), x);
  const expected = digest(contrastiveLossAndGradSync(x, x));
  const worker = startWorker('stay');
  await once(worker, 'message');
  expect(await worker.terminate()).toBe(1);
  expect(digest(contrastiveLossAndGradSync(store, store))).toBe(expected);
});
