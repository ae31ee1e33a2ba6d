/** The meter sees what is touched after it starts, and not what was before. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startPeakMeter } from '../src/measure/peak-memory.js';

const mebibyte = 2 ** 20;

/**
 * Buffers that nobody holds are given back to the system a little later, on another thread: those of this test, and those
 * of earlier tests in this process. So this waits until memory is below `rss` and has stopped falling.
 */
async function untilGivenBack(rss: number): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let before = Number.POSITIVE_INFINITY;
  for (let steady = 0; steady < 5; ) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = process.memoryUsage.rss();
    steady = now <= rss && before - now < mebibyte ? steady + 1 : 0;
    before = now;
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
