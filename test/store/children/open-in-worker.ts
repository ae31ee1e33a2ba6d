/** A worker thread that opens a store by its path, and computes once or until somebody ends it. */
import { parentPort, workerData } from 'node:worker_threads';
import { contrastiveLossAndGrad, FeatureStore } from '../../../lib';
import { digest } from '../../lifecycle/problems';

async function run({ file, how }: { file: string; how: 'solve' | 'stay' }): Promise<void> {
  const store = await FeatureStore.open(file);
  if (how === 'stay') parentPort!.postMessage('running');
  do {
    const result = await contrastiveLossAndGrad(store, store);
    if (how === 'solve') parentPort!.postMessage(digest(result));
  } while (how === 'stay');
  store.dispose();
}

void run(workerData);
