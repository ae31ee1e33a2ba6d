/**
 * Features and gradients that do not fit a device stream through it in slabs, from the public API to the
 * kernels. The results are those of the CPU, on an emulated device of that size.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findEmulator, registerTypescript } from './emulator';

const emulator = findEmulator();
const memory = 1_500_000;

if ('reason' in emulator) {
  it.skip(`slabs: ${emulator.reason}`, () => {});
} else {
  // biome-ignore lint/suspicious/noExplicitAny: what the child printed
  let answer: any;
  beforeAll(async () => {
    const env = { ...emulator.env, INFCL_EMULATOR_MEMORY: `${memory}`, INFCL_EMULATOR_LAZY: '1' };
    const args = ['-r', registerTypescript, join(__dirname, 'children', 'slabs.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    answer = JSON.parse(stdout.trim().split('\n').pop()!);
  });

  it.each(['infonce', 'ntxent', 'supcon'])(
    '%s: the answer of the CPU, in at least three slabs a side',
    (name) => {
      const { slabs, workspace, progress, same, loss, gradient } = answer[name];
      expect(answer.total).toBe(memory);
      expect(workspace).toBeLessThan(memory); // which the emulator would not exceed
      expect(slabs).toBeGreaterThanOrEqual(3);
      expect({ progress, same }).toEqual({ progress: 1, same: true });
      expect(loss).toBeLessThan(1e-5);
      expect(gradient).toBeLessThan(2e-4);
    },
  );

  it('plan() says so beforehand', () => {
    const { plan, infonce } = answer;
    expect([plan.slabs, plan.bytes.workspace]).toEqual([infonce.slabs, infonce.workspace]);
  });

  it('where not even slabs fit: ERR_OUT_OF_MEMORY with both numbers, and nothing is lost', () => {
    const message = expect.stringMatching(/needs \d{7} bytes of the device: \d+ of its 1500000 are free/);
    expect(answer.refused).toEqual({ code: 'ERR_OUT_OF_MEMORY', message, taken: 0 });
  });
}
