/** Backend 'cuda' from the public API down to the kernels, which an emulated driver executes. */
import { execFile, fork } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LossAndGradResult } from '../../../lib';
import { caseName, caseProblem } from '../../exactness/cases';
import { denseLossAndGrad } from '../../reference/dense';
import { cudaCases } from './cases';
import { cudaThrough, findEmulator, registerTypescript } from './emulator';

const emulator = findEmulator();
const children = join(__dirname, 'children');

function solve(env: NodeJS.ProcessEnv): Promise<LossAndGradResult[]> {
  return new Promise((resolve, reject) => {
    const results: LossAndGradResult[] = [];
    const child = fork(join(children, 'solve.ts'), [], {
      execArgv: ['-r', registerTypescript],
      env,
      serialization: 'advanced', // typed arrays arrive as they are
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr!.on('data', (text) => {
      errors += text;
    });
    child.on('message', (message) => results.push((message as { result: LossAndGradResult }).result));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(results);
      else reject(new Error(`the child ended with ${code ?? signal}\n${errors}`));
    });
  });
}

async function answerOf(file: string, env: NodeJS.ProcessEnv) {
  const args = ['-r', registerTypescript, join(children, file)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout.trim().split('\n').pop()!);
}

/** |out - ref| / |ref|, or against `floor` where the gradient cancels. */
function relativeError(out: Float32Array, reference: Float64Array, floor: number): number {
  expect(out.length).toBe(reference.length);
  let error = 0;
  let norm = 0;
  for (let at = 0; at < out.length; at++) {
    error += (out[at]! - reference[at]!) ** 2;
    norm += reference[at]! ** 2;
  }
  return Math.sqrt(error) / Math.max(Math.sqrt(norm), floor);
}

if ('reason' in emulator) {
  it.skip(`backend 'cuda': ${emulator.reason}`, () => {});
} else {
  if (emulator.withoutHopper) it.skip(`on sm_90a: ${emulator.withoutHopper}`, () => {});

  describe.each(emulator.devices)('on $name, against the float64 oracle', ({ env }) => {
    let results: LossAndGradResult[] = [];
    beforeAll(async () => {
      results = await solve(env);
    });

    it('solved every case, on the device', () => {
      expect(results.map(({ stats }) => stats.backend)).toEqual(cudaCases.map(() => 'cuda'));
    });

    it.each(cudaCases.map((exact, index) => [caseName(exact), index] as const))('%s', (_, index) => {
      const exact = cudaCases[index]!;
      const { bounds, logitScale, rows } = exact;
      const { queries, keys, options } = caseProblem(exact);
      const oracle = denseLossAndGrad(queries, keys, options);
      const result = results[index]!;
      const floor = (1e-2 * logitScale) / Math.sqrt(rows);
      const scalar = (a: number, b: number) => Math.abs(a - b) / Math.max(1e-2, Math.abs(b));
      expect(Math.abs(result.loss - oracle.loss)).toBeLessThan(bounds.loss * Math.max(1, oracle.loss));
      expect(relativeError(result.queryGrads, oracle.queryGrads, floor)).toBeLessThan(bounds.gradient);
      if (keys) expect(relativeError(result.keyGrads, oracle.keyGrads, floor)).toBeLessThan(bounds.gradient);
      if (result.hardNegativeGrads) {
        const error = relativeError(result.hardNegativeGrads, oracle.hardNegativeGrads, floor);
        expect(error).toBeLessThan(bounds.gradient);
      }
      expect(scalar(result.logitScaleGrad, oracle.logitScaleGrad)).toBeLessThan(bounds.gradient);
      expect(scalar(result.logitBiasGrad, oracle.logitBiasGrad)).toBeLessThan(bounds.gradient);
      expect(result.stats.maskedPairs).toBe(oracle.maskedPairs);
    });
  });

  describe.each(emulator.devices)('on $name, at the edge', ({ env, isa }) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the child printed
    let answer: any;
    beforeAll(async () => {
      answer = await answerOf('probe.ts', env);
    });

    it('names its devices, in backends() and in stats', () => {
      const [cpu, cuda] = answer.backends;
      expect(cpu.available && cuda.available).toBe(true);
      expect(cuda.devices).toHaveLength(2);
      expect(answer.stats).toMatchObject({ backend: 'cuda', device: cuda.devices[0], threads: 0 });
      expect(answer.stats.isa).toMatch(isa);
    });

    it('agrees with the CPU and the second device, beside which it ran, and with itself', () => {
      const [device, cpu, other, again] = answer.losses;
      expect([other, again]).toEqual([device, device]);
      expect(answer.after).toBe(device);
      // Queries equal keys: what two planes lose of a positive is a square, so that it never cancels.
      const largestLogit = 1 / 0.07;
      expect(Math.abs(device - cpu)).toBeLessThan(2 ** -18 * largestLogit);
    });

    it("'auto' is the CPU", () => expect(answer.auto).toBe('cpu'));

    it('plan() says what the call takes', () => {
      expect(answer.plan.bytes.workspace).toBe(answer.stats.workspaceBytes);
      expect(answer.plan.estimatedSeconds).toBeGreaterThan(0);
    });

    it.each([
      ['noDevice', 'ERR_DEVICE', /below \d+ for options.device but received 99/],
      ['workspace', 'ERR_WORKSPACE', /at least \d+ for workspaceBytes but received 1000/],
      ['infinite', 'ERR_NOT_FINITE', /queries but received NaN or Infinity at row 7, column 3/],
    ])('refuses %s with %s', (name, code, message) => {
      expect(answer[name]).toMatchObject({ code, message: expect.stringMatching(message) });
    });

    it('stops when told to', () => expect(answer.aborted).toBe('enough'));

    it('without a driver, or without a device, it is unavailable and says why', () => {
      const nowhere = cudaThrough({ ...env, INFCL_CUDA_LIBRARY: '/nowhere/libcuda.so' });
      expect(nowhere).toMatchObject({ available: false, devices: [] });
      expect(nowhere.reason).toMatch(/no CUDA driver.*nowhere/);
      const none = cudaThrough({ ...env, INFCL_EMULATOR_DEVICES: '0' });
      expect(none).toMatchObject({ available: false, devices: [], reason: expect.stringMatching(/device/i) });
      const old = cudaThrough({ ...env, INFCL_EMULATOR_SM: '75' });
      expect(old).toMatchObject({ available: false, reason: expect.stringMatching(/no kernels for/) });
    });

    it('a device without memory: ERR_OUT_OF_MEMORY with what was wanted', async () => {
      const error = await answerOf('out-of-memory.ts', { ...env, INFCL_EMULATOR_MEMORY: '1000000' });
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_MEMORY' });
      expect(error.message).toMatch(/\d+ bytes/);
    });
  });
}
