/**
 * Features that live on a device: the numbers of host features bit for bit, no copies, and memory that is
 * given back whatever happens. The work is done by children/device-matrix.ts on the emulated driver.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findEmulator, registerTypescript } from './emulator';

const emulator = findEmulator();
const root = join(__dirname, '..', '..', '..');
const run = promisify(execFile);

// biome-ignore lint/suspicious/noExplicitAny: what the child printed
async function answerOf(file: string, env: NodeJS.ProcessEnv): Promise<any> {
  const args = ['--expose-gc', '-r', registerTypescript, join(__dirname, 'children', file)];
  const { stdout } = await run(process.execPath, args, { env });
  return JSON.parse(stdout.trim().split('\n').pop()!);
}

if ('reason' in emulator) {
  it.skip(`DeviceMatrix: ${emulator.reason}`, () => {});
} else {
  if (emulator.withoutHopper) it.skip(`on sm_90a: ${emulator.withoutHopper}`, () => {});
  describe.each(emulator.devices)('on $name', ({ env }) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the child printed
    let answer: any;
    beforeAll(async () => {
      answer = await answerOf('device-matrix.ts', env);
    });

    const [rows, dim] = [150, 40];
    const matrixBytes = rows * dim * 4;
    const nothing = { allocated: 0, matrices: 0 };

    it.each([
      ['float32', [rows, dim]],
      ['float16', [rows, dim]],
      ['bfloat16', [rows, dim]],
      ['bfloat16InTwoPlanes', [rows, dim]],
      ['strided', [rows, dim]],
      ['queriesAlone', [0, dim]],
      ['hardNegatives', [170, dim]],
    ])('%s: as host features on the device bit for bit, and gradients stay there', (name, keyShape) => {
      const shapes = [[rows, dim], keyShape];
      expect(answer[name]).toEqual({ same: true, kept: true, backend: 'cuda', shapes });
    });

    it('the gradient of a frozen side is a matrix of no rows', () => {
      expect(answer.frozen).toEqual({ empty: [[0, dim], true, 0], shape: [rows, dim] });
    });

    it('fromHost and calls of the loss do not get in each other’s way', async () => {
      expect(await answerOf('from-host-in-flight.ts', env)).toEqual({
        copiesWhatIsWritten: 'ERR_OVERLAP',
        after: 'fulfilled',
        writesWhatIsCopied: 'ERR_OVERLAP',
        readsWhatIsCopied: 'fulfilled',
        afterwards: 'fulfilled',
      });
    });

    it('fromHost and toHost keep every bit and pack rows', () => {
      expect(answer.roundTrip).toEqual({
        shape: [rows, dim],
        dtype: 'float16',
        rowStride: dim,
        device: 1,
        disposed: false,
        back: true,
        pointer: true,
      });
    });

    it('slice() shares memory, which outlives the matrix it is of', () => {
      const address = 20 * dim * 4;
      expect(answer.view).toEqual({
        same: true,
        address,
        shape: [120, dim],
        allocated: matrixBytes,
        matrices: 2,
      });
    });

    it('wrap() reads and writes memory of others where it lies, between gaps that stay as they are', () => {
      expect(answer.wrap).toEqual({
        owned: true,
        isOut: true,
        read: true,
        grads: true,
        untouched: true,
        loss: true,
      });
    });

    it('a hundred calls leave no byte behind', () => {
      expect(answer.fiftyCalls).toEqual({ same: true, isOut: true, grown: 0 });
    });

    it('once disposed of it is refused, but for disposing of it again', () => {
      const { before, after, disposed, shape, refused } = answer.disposed;
      expect(before).toEqual({ allocated: matrixBytes, matrices: 1 });
      expect(after).toEqual(nothing);
      expect([disposed, shape]).toEqual([true, [rows, dim]]);
      expect(Object.keys(refused)).toHaveLength(5);
      for (const error of Object.values(refused)) {
        expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_DISPOSED' });
      }
    });

    it('disposed of while one call runs and another waits, memory stays until both have ended', () => {
      const { meanwhile, after, same } = answer.disposedMeanwhile;
      // two inputs that are matrices no more, and the four gradients
      expect(meanwhile).toEqual({ allocated: 6 * matrixBytes, matrices: 4 });
      expect(after).toEqual(nothing);
      expect(same).toEqual([true, true]);
    });

    it('what is forgotten is collected', () => {
      const { before, after } = answer.collected;
      expect(before).toEqual({ allocated: 3 * matrixBytes, matrices: 4 });
      expect(after).toEqual(nothing);
    });

    it('what is left when a thread ends, or is ended, is freed', () => {
      const there = { allocated: 400_000, matrices: 1 };
      const each = { there, mine: nothing }; // accounts are of a thread
      expect(answer.threads).toEqual({ ended: each, terminated: each, grown: 0 });
    });

    it('a call that fails leaves no gradients behind', () => {
      const { before, after, refused } = answer.failures;
      expect(after).toEqual(before);
      const infinite = {
        code: 'ERR_NOT_FINITE',
        message: expect.stringMatching(/keys .* at row 7, column 3/),
      };
      expect(refused).toMatchObject({
        infinite,
        infiniteSync: infinite,
        aborted: { message: 'enough' },
      });
    });

    it("work is ordered against the owner's stream, by whoever reads or writes", () => {
      const { standard, ...unknown } = answer.streams;
      expect(standard).toBe(true);
      expect(Object.keys(unknown)).toEqual(['queries', 'keys', 'out', 'toHost']);
      for (const error of Object.values(unknown)) {
        expect(error).toMatchObject({ code: 'ERR_DEVICE', message: expect.stringMatching(/no such stream/) });
      }
    });

    const refusals: [name: string, code: string, message: RegExp][] = [
      ['mixed', 'ERR_VALUE', /keys on device 0 as queries are but received them on the host/],
      ['mixedOtherWay', 'ERR_VALUE', /keys on the host as queries are but received them on device 0/],
      ['mixedHard', 'ERR_VALUE', /hardNegatives.keys on device 0 .* received them on the host/],
      ['twoDevices', 'ERR_DEVICE', /keys on device 0 as queries are but received them on device 1/],
      ['cpu', 'ERR_VALUE', /'cuda' or 'auto' .* for options.backend but received cpu/],
      ['otherDevice', 'ERR_DEVICE', /0, where queries are, for options.device but received 1/],
      ['shape', 'ERR_SHAPE', /as many keys as queries \(150\) .* received 20/],
      ['hostOut', 'ERR_TYPE', /DeviceMatrix on device 0 for options.out.queryGrads .* Float32Array/],
      ['deviceOut', 'ERR_TYPE', /Float32Array for options.out.queryGrads .* DeviceMatrix/],
      ['halfOut', 'ERR_DTYPE', /float32 for options.out.queryGrads.dtype but received float16/],
      ['shortOut', 'ERR_SHAPE', /\[150, 40\] for options.out.keyGrads but received \[20, 40\]/],
      ['farOut', 'ERR_DEVICE', /keyGrads on device 0, .* received it on device 1/],
      ['overlap', 'ERR_OVERLAP', /keyGrads not to share memory with queries.data/],
      ['overlapOuts', 'ERR_OVERLAP', /queryGrads not to share memory with options.out.keyGrads/],
      ['nowhere', 'ERR_DEVICE', /memory of device 0 at 0x1000 but received an address that/],
      ['wrongDevice', 'ERR_DEVICE', /memory of device 1 at 0x\w+ but received memory of device 0/],
      ['beyond', 'ERR_DEVICE', /memory of device 0 at 0x\w+ but received/],
      ['noDevice', 'ERR_DEVICE', /below 2 .* received 99/],
      ['misaligned', 'ERR_VALUE', /multiple of 4 for memory.pointer/],
      ['number', 'ERR_TYPE', /bigint for memory.pointer but received 4096 of type number/],
      ['perThread', 'ERR_VALUE', /memory.stream/],
      ['stride', 'ERR_SHAPE', /at least dim \(40\) for memory.rowStride but received 39/],
      ['dtype', 'ERR_DTYPE', /float32, float16, bfloat16 for memory.dtype but received int8/],
      ['typo', 'ERR_OPTION', /rowstride in memory; did you mean rowStride/],
      ['sliceEmpty', 'ERR_VALUE', /row before end \(3\) for begin/],
      ['sliceBeyond', 'ERR_VALUE', /up to 150 for end but received 151/],
      ['fromNowhere', 'ERR_DEVICE', /below 2 .* received 99/],
      ['fromDevice', 'ERR_TYPE', /matrix.data/],
      ['memoryNowhere', 'ERR_DEVICE', /below 2 .* received 99/],
    ];
    it.each(refusals)('refuses %s with %s', (name, code, message) => {
      expect(answer.refusals[name]).toMatchObject({ code, message: expect.stringMatching(message) });
    });
    it('has tried no other refusals', () => {
      expect(Object.keys(answer.refusals).sort()).toEqual(refusals.map(([name]) => name).sort());
    });

    it('a device that is full: ERR_OUT_OF_MEMORY with both numbers, and nothing is lost', async () => {
      const full = await answerOf('device-out-of-memory.ts', { ...env, INFCL_EMULATOR_MEMORY: '3000000' });
      const refused = (message: RegExp) => ({
        error: { name: 'RangeError', code: 'ERR_OUT_OF_MEMORY', message: expect.stringMatching(message) },
        taken: 0,
        held: 0,
        matrices: 0,
      });
      expect(full).toEqual({
        matrix: refused(/cannot give 3200000 bytes: 1720000 of its 3000000 are free/),
        workspace: refused(/needs \d+ bytes of the device: 440000 of its 3000000 are free/),
        gradients: refused(/cannot give 640000 bytes: 440000 of its 3000000 are free/),
      });
    });

    it('without a driver there is none, and it says so', async () => {
      const script = `
      const { DeviceMatrix, deviceMemory } = require('./lib');
      const shape = [1, 2];
      const matrix = { data: new Float32Array(2), shape };
      const wrapped = { pointer: 4096n, shape, dtype: 'float32' };
      const ways = [() => DeviceMatrix.fromHost(matrix), () => DeviceMatrix.wrap(wrapped), () => deviceMemory()];
      const code = async (way) => { try { await way(); } catch (error) { return error.code; } };
      Promise.all(ways.map(code)).then((codes) => console.log(codes.join()));`;
      const options = { cwd: root, env: { ...env, INFCL_CUDA_LIBRARY: '/nowhere/libcuda.so' } };
      const { stdout } = await run(process.execPath, ['-r', registerTypescript, '-e', script], options);
      expect(stdout.trim()).toBe(Array(3).fill('ERR_BACKEND_UNAVAILABLE').join());
    });

    it('the example of docs/device-matrix.md runs on the device', async () => {
      const text = readFileSync(join(root, 'docs', 'device-matrix.md'), 'utf8');
      const [, code] = /^```js\n(.*?)^```$/ms.exec(text)!;
      const options = { cwd: root, env: { ...env, NODE_OPTIONS: '' } };
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code!], options);
      expect(stdout).toMatch(/^\d\.\d+ \[ 64, 32 \] 2048 0\n$/);
    });
  });
}
