/** The meter sees what is touched after it starts, and not what was before. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startPeakMeter } from '../src/measure/peak-memory.js';

const mebibyte = 2 ** 20;

/** Gives buffers nobody holds back to the system, so that an earlier peak lies above what is resident. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

(process.platform === 'linux' ? test : test.skip)('growth counts from the start of the meter', () => {
  Buffer.alloc(200 * mebibyte, 1);
  collectGarbage();
  const meter = startPeakMeter();
  expect(meter.growthBytes()).toBeLessThan(32 * mebibyte);
  Buffer.alloc(64 * mebibyte, 1);
  expect(meter.growthBytes()).toBeGreaterThan(56 * mebibyte);
});
