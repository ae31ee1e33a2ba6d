/**
 * Memory that is refused and memory that must not be lost. What must hold: a call that gets no memory, or no thread,
 * fails with an error that says so and the next one works; ten thousand calls leave the process as large as it was.
 */
import { spawnSync } from 'node:child_process';
import type { ManyCallsAnswer } from './children/many-calls';
import type { LimitAnswer, LimitOrder } from './children/memory-limit';
import { answerOf, rounds } from './run-child';

const mebibyte = 2 ** 20;
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
if (!hasPrlimit) console.warn('no prlimit (util-linux): allocation failures SKIPPED');

(hasPrlimit ? describe : describe.skip)('under an address space limit', () => {
  // each twice: by promise and blocking
  const steps = (mebibytes: number[]) => mebibytes.flatMap((n) => [n * mebibyte, n * mebibyte]);

  it.each([true, false])('scratch memory and threads are refused by name; engine warm: %p', async (warm) => {
    const limits = steps([1, 4, 12, 24, 36, 200]);
    const order: LimitOrder = { limits, rows: 8192, dim: 256, ownOutputs: true, warm };
    const { ends, after, expected } = await answerOf<LimitAnswer>('memory-limit.ts', order);
    expect(after).toEqual(limits.map(() => expected));
    const refused = ends.filter((end) => end !== 'fulfilled');
    for (const end of refused)
      expect(end).toMatch(/^RangeError ERR_OUT_OF_MEMORY \[(workspace|threads|allocate)\]/);
    expect(refused.length).toBeGreaterThanOrEqual((2 / 3) * limits.length);
    expect(ends.slice(-2)).toEqual(['fulfilled', 'fulfilled']);
  });

  it('gradient arrays are refused by the engine of JavaScript', async () => {
    // with less than this V8 cannot even collect garbage, and ends the process whatever it runs
    const limits = steps([30, 40, 50]);
    const order: LimitOrder = { limits, rows: 65_536, dim: 256, ownOutputs: false, warm: true };
    const { ends, after, expected } = await answerOf<LimitAnswer>('memory-limit.ts', order);
    expect(after).toEqual(limits.map(() => expected));
    for (const end of ends) expect(end).toMatch(/^RangeError - Array buffer allocation failed/);
  });
});

(process.platform === 'linux' ? it : it.skip)(
  '10,000 small calls leave resident memory as it was',
  async () => {
    const order = { calls: rounds(10_000) };
    const answer = await answerOf<ManyCallsAnswer>('many-calls.ts', order, { nodeOptions: ['--expose-gc'] });
    expect(answer.rejected).toBeGreaterThan(order.calls / 4);
    // 200 bytes lost per call would be 2 MB
    expect(answer.growthBytes).toBeLessThan(3 * mebibyte);
    if (process.env.INFCL_LIFECYCLE_FACTOR) console.log(answer);
  },
);
