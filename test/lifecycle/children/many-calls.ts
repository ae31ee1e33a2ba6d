/**
 * Resident memory before and after many small calls, fulfilled, rejected and aborted, by promise and blocking, after
 * twice as many of warm-up. Needs --expose-gc.
 */
import { readFileSync } from 'node:fs';
import { contrastiveLossAndGrad, contrastiveLossAndGradSync, type MatrixLike } from '../../../lib';
import { features } from '../problems';

export interface ManyCallsAnswer {
  growthBytes: number;
  calls: number;
  rejected: number;
}

const [rows, dim] = [24, 8];
const queries = features(rows, dim, 1);
const keys = features(rows, dim, 2);
const broken: MatrixLike = { ...keys, data: keys.data.slice().fill(Number.NaN, 7, 8) };
let rejected = 0;

async function callBatch(size: number): Promise<void> {
  const controllers: AbortController[] = [];
  const calls = Array.from({ length: size }, (_, i) => {
    if (i % 4 === 0) {
      contrastiveLossAndGradSync(queries, keys);
      return Promise.resolve();
    }
    const wrong = i % 4 === 2;
    const controller = new AbortController();
    if (i % 8 === 3) controllers.push(controller);
    const options = { perRow: true, signal: controller.signal };
    return contrastiveLossAndGrad(queries, wrong ? broken : keys, options).then(
      () => {},
      () => {
        rejected++;
      },
    );
  });
  for (const controller of controllers) controller.abort();
  await Promise.all(calls);
}

async function residentBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    (globalThis as { gc?: () => void }).gc!();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}

async function run({ calls }: { calls: number }): Promise<void> {
  const batch = 100;
  for (let done = 0; done < 2 * calls; done += batch) await callBatch(batch);
  const before = await residentBytes();
  rejected = 0;
  for (let done = 0; done < calls; done += batch) await callBatch(batch);
  const answer: ManyCallsAnswer = { growthBytes: (await residentBytes()) - before, calls, rejected };
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
