/** The meter sees what is touched after it starts, and not what was before. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startPeakMeter } from '../src/measure/peak-memory.js';

const mebibyte = 2 ** 20;

/** Buffers nobody holds are given back to the system a little later, on another thread. */
async function untilGivenBack(rss: number): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  while (process.memoryUsage.rss() > rss) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

(process.platform === 'linux' ? test : test.skip)('growth counts from the start of the meter', async () => {
  const rss = process.memoryUsage.rss();
  Buffer.alloc(200 * mebibyte, 1);
  await untilGivenBack(rss + 50 * mebibyte);
  const meter = startPeakMeter();
  expect(meter.growthBytes()).toBeLessThan(32 * mebibyte);
  Buffer.alloc(64 * mebibyte, 1);
  expect(meter.growthBytes()).toBeGreaterThan(56 * mebibyte);
});
