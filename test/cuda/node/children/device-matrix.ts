/**
 * Features that live on a device, each claim as a function whose answer is one entry of the JSON that this prints:
 * what it returned, or the error it threw. Needs --expose-gc.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  DeviceMatrix,
  deviceMemory,
  type Features,
  type Gradient,
  type InfclError,
  type LossAndGradResult,
  type MatrixLike,
} from '../../../../lib';
import { registerTypescript } from '../emulator';

const lib = join(__dirname, '..', '..', '..', '..', 'lib');
const [rows, dim] = [150, 40];
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * 1.7) / 4);
const matrix = (seed: number, count = rows) => ({
  data: numbers(count * dim, seed),
  shape: [count, dim] as const,
});
/** Upper halves of float32: bfloat16; read as float16 they are numbers as well. */
const halves = (seed: number, dtype: 'float16' | 'bfloat16'): MatrixLike => {
  const bits = new Uint32Array(matrix(seed).data.buffer);
  const narrow = (b: number) =>
    dtype === 'bfloat16' ? b >>> 16 : ((b >>> 16) & 0x8000) | (0x2800 + (b >>> 22));
  return { data: Uint16Array.from(bits, narrow), shape: [rows, dim], dtype };
};
const [queries, keys] = [matrix(1), matrix(2)];
const cuda = { backend: 'cuda' } as const;

const bits = (array: Float32Array | Uint16Array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
const toHost = async (gradient: Gradient) =>
  gradient instanceof DeviceMatrix ? gradient.toHost() : gradient;

/** Everything a result says, as text. Disposes of gradients on a device. */
async function fingerprint(result: LossAndGradResult<Gradient>): Promise<string> {
  const { loss, queryGrads, keyGrads, hardNegativeGrads, logitScaleGrad } = result;
  const all = [queryGrads, keyGrads, ...(hardNegativeGrads ? [hardNegativeGrads] : [])];
  const arrays = await Promise.all(all.map(toHost));
  for (const gradient of all) if (gradient instanceof DeviceMatrix) gradient.dispose();
  return JSON.stringify([loss, logitScaleGrad, ...arrays.map(bits)]);
}

/** Whether a call on host features and one on the same features on the device give the same bits. */
async function agrees(q: MatrixLike, k: MatrixLike | null, options: ContrastiveOptions = {}) {
  const host = await contrastiveLossAndGrad(q, k, { ...options, ...cuda });
  const hard = options.hardNegatives;
  using a = await DeviceMatrix.fromHost(q);
  using b = k && (await DeviceMatrix.fromHost(k));
  using c = hard ? await DeviceMatrix.fromHost(hard.keys as MatrixLike) : null;
  const there = { ...options, ...(hard && { hardNegatives: { ...hard, keys: c! } }) };
  const device = await contrastiveLossAndGrad(a, b, there);
  const again = contrastiveLossAndGradSync(a, b, there);
  const loss = [await contrastiveLoss(a, b, there), contrastiveLossSync(a, b, there)].map((r) => r.loss);
  const kept = device.queryGrads instanceof DeviceMatrix && device.keyGrads instanceof DeviceMatrix;
  const { backend } = device.stats;
  const shapes = [device.queryGrads.shape, device.keyGrads.shape];
  const prints = [await fingerprint(host), await fingerprint(device), await fingerprint(again)];
  const same = prints.every((print) => print === prints[0]) && loss.every((l) => l === host.loss);
  return { same, kept, backend, shapes };
}

const held = () => {
  const { allocated, matrices } = deviceMemory();
  return { allocated, matrices };
};

const claims = {
  float32: () => agrees(queries, keys),
  float16: () => agrees(halves(1, 'float16'), halves(2, 'float16')),
  bfloat16: () => agrees(halves(1, 'bfloat16'), halves(2, 'bfloat16')),
  bfloat16InTwoPlanes: () => agrees(halves(1, 'bfloat16'), keys),
  strided: () => agrees({ data: numbers(rows * 50, 3), shape: [rows, dim], rowStride: 50 }, keys),
  queriesAlone: () =>
    agrees(queries, null, {
      objective: 'supcon',
      labels: Int32Array.from({ length: rows }, (_, i) => i % 9),
    }),
  hardNegatives: () =>
    agrees(queries, matrix(4, 260), {
      objective: 'infonce',
      hardNegatives: { keys: matrix(5, 2 * rows), perQuery: 2 },
      grad: { keys: { rows: 170 } },
    }),

  async frozen() {
    using a = await DeviceMatrix.fromHost(queries);
    const { queryGrads, keyGrads } = await contrastiveLossAndGrad(a, a, { grad: { queries: false } });
    const empty = [queryGrads.shape, queryGrads.pointer === 0n, (await queryGrads.toHost()).length];
    const shape = keyGrads.shape;
    queryGrads.dispose();
    keyGrads.dispose();
    return { empty, shape };
  },

  async roundTrip() {
    const source = halves(7, 'float16');
    using there = await DeviceMatrix.fromHost(source, { device: 1 });
    const { shape, dtype, rowStride, device, disposed } = there;
    const back = bits(await there.toHost()) === bits(source.data);
    return { shape, dtype, rowStride, device, disposed, back, pointer: there.pointer > 0n };
  },

  async view() {
    const whole = await DeviceMatrix.fromHost(queries);
    using view = whole.rows(20, 150);
    const address = view.pointer - whole.pointer;
    whole.dispose();
    using inner = view.rows(10, 130); // rows 30 to 150 of the whole, which is gone
    const part = { data: queries.data.subarray(30 * dim), shape: [120, dim] as const };
    const same =
      contrastiveLossSync(inner, inner).loss === contrastiveLossSync(part, part, cuda).loss &&
      bits(await inner.toHost()) === bits(part.data);
    return { same, address: Number(address), shape: inner.shape, ...held() };
  },

  /** The right half of a matrix twice as wide: features and gradients with gaps. */
  async wrap() {
    const wide = numbers(rows * 2 * dim, 8);
    using memory = await DeviceMatrix.fromHost({ data: wide, shape: [rows, 2 * dim] });
    using grads = await DeviceMatrix.fromHost({ data: wide, shape: [rows, 2 * dim] });
    const right = (of: DeviceMatrix) =>
      DeviceMatrix.wrap({
        pointer: of.pointer + BigInt(4 * dim),
        shape: [rows, dim],
        dtype: 'float32',
        rowStride: 2 * dim,
        stream: 0n,
      });
    using a = right(memory);
    using out = right(grads);
    using k = await DeviceMatrix.fromHost(keys);
    const before = held();
    const result = await contrastiveLossAndGrad(a, k, { out: { queryGrads: out } });
    const strided = { data: wide.subarray(dim), shape: [rows, dim] as const, rowStride: 2 * dim };
    const host = contrastiveLossAndGradSync(strided, keys, cuda);
    const written = (await grads.toHost()) as Float32Array;
    const isLeft = (i: number) => i % (2 * dim) < dim;
    const answer = {
      owned: before.allocated === memoryOf(memory, grads, k),
      isOut: result.queryGrads === out,
      read: bits(await a.toHost()) === bits(wide.filter((_, i) => !isLeft(i))),
      grads: bits(written.filter((_, i) => !isLeft(i))) === bits(host.queryGrads),
      untouched: bits(written.filter((_, i) => isLeft(i))) === bits(wide.filter((_, i) => isLeft(i))),
      loss: result.loss === host.loss,
    };
    result.keyGrads.dispose();
    return answer;
  },

  /** Gradients into the same memory, over and over. */
  async fiftyCalls() {
    using a = await DeviceMatrix.fromHost(queries);
    using b = await DeviceMatrix.fromHost(keys);
    using queryGrads = await DeviceMatrix.fromHost(matrix(5));
    using keyGrads = await DeviceMatrix.fromHost(matrix(6));
    using few = a.rows(0, 8);
    const { free } = deviceMemory();
    const out = { queryGrads, keyGrads };
    for (let i = 0; i < 50; i++) {
      using view = queryGrads.rows(i, i + 8);
      const result = await contrastiveLossAndGrad(few, few, {
        grad: { keys: false },
        out: { queryGrads: view },
      });
      if (result.queryGrads !== view) throw new Error('not what was given');
      result.keyGrads.dispose();
      const made = contrastiveLossAndGradSync(few, few);
      made.queryGrads.dispose();
      made.keyGrads.dispose();
    }
    const result = await contrastiveLossAndGrad(a, b, { out });
    const host = contrastiveLossAndGradSync(queries, keys, cuda);
    const same = bits(await queryGrads.toHost()) === bits(host.queryGrads);
    return { same, isOut: result.keyGrads === keyGrads, grown: free - deviceMemory().free };
  },

  async disposed() {
    const a = await DeviceMatrix.fromHost(queries);
    const before = held();
    a.dispose();
    a.dispose();
    a[Symbol.dispose]();
    const { disposed, shape } = a;
    const uses = {
      pointer: () => a.pointer,
      rows: () => a.rows(0, 1),
      toHost: () => a.toHost(),
      queries: () => contrastiveLoss(a, a),
      sync: () => contrastiveLossSync(a, a),
    };
    const refused: Record<string, unknown> = {};
    for (const [name, use] of Object.entries(uses)) refused[name] = await outcome(use);
    return { before, after: held(), disposed, shape, refused };
  },

  /** One call runs, one waits behind it, and everything that they read is disposed of. */
  async disposedMeanwhile() {
    const host = contrastiveLossAndGradSync(queries, keys, cuda);
    const [a, b] = [await DeviceMatrix.fromHost(queries), await DeviceMatrix.fromHost(keys)];
    const calls = [contrastiveLossAndGrad(a, b), contrastiveLossAndGrad(a, b)];
    await new Promise((resolve) => setImmediate(resolve));
    a.dispose();
    b.dispose();
    const meanwhile = held();
    const prints = await Promise.all((await Promise.all(calls)).map(fingerprint));
    const reference = await fingerprint(host);
    return { meanwhile, after: held(), same: prints.map((print) => print === reference) };
  },

  async collected() {
    const forget = async () => {
      const a = await DeviceMatrix.fromHost(queries);
      const { queryGrads } = contrastiveLossAndGradSync(a, a.rows(0, rows));
      return queryGrads.shape[0];
    };
    await forget();
    const before = held();
    for (let i = 0; i < 20 && held().allocated > 0; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc!();
    }
    return { before, after: held() };
  },

  /** A failing call leaves nothing that it had allocated. */
  async failures() {
    const infinite = matrix(9);
    infinite.data[7 * dim + 3] = Number.POSITIVE_INFINITY;
    using a = await DeviceMatrix.fromHost(queries);
    using b = await DeviceMatrix.fromHost(infinite);
    const before = held();
    const controller = new AbortController();
    const calls = {
      infinite: () => contrastiveLossAndGrad(a, b),
      infiniteSync: () => contrastiveLossAndGradSync(a, b),
      aborted: () => {
        const first = contrastiveLossAndGrad(a, a);
        const waiting = contrastiveLossAndGrad(a, a, { signal: controller.signal });
        controller.abort(new Error('enough'));
        return Promise.all([first.then(fingerprint), waiting]);
      },
    };
    const refused: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(calls)) refused[name] = await outcome(call);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await contrastiveLoss(a, a); // after the aborted one's companion
    return { before, after: held(), refused };
  },

  async streams() {
    using memory = await DeviceMatrix.fromHost(queries);
    const on = (stream: bigint) =>
      DeviceMatrix.wrap({ pointer: memory.pointer, shape: [rows, dim], dtype: 'float32', stream });
    using unknown = on(0x1230n); // no such stream: a call that records on it, or waits, is told so
    using standard = on(0n);
    using other = await DeviceMatrix.fromHost(keys);
    return {
      queries: await outcome(() => contrastiveLoss(unknown, other)),
      keys: await outcome(() => contrastiveLoss(other, unknown)),
      out: await outcome(() => contrastiveLossAndGrad(other, other, { out: { queryGrads: unknown } })),
      toHost: await outcome(() => unknown.toHost()),
      standard: (await contrastiveLoss(standard, other)).loss === (await contrastiveLoss(memory, other)).loss,
    };
  },

  async refusals() {
    using a = await DeviceMatrix.fromHost(queries);
    using far = await DeviceMatrix.fromHost(keys, { device: 1 });
    using half = await DeviceMatrix.fromHost(halves(3, 'float16'));
    using short = await DeviceMatrix.fromHost(matrix(1, 20));
    using first = a.rows(0, 20);
    const { pointer } = a;
    const wrapped = { pointer, shape: [rows, dim], dtype: 'float32' } as const;
    const call = (q: Features, k: Features, options?: object) => () => contrastiveLossAndGrad(q, k, options);
    const calls = {
      mixed: call(a, keys),
      mixedOtherWay: call(queries, a),
      mixedHard: call(a, a, { hardNegatives: { keys: matrix(3), perQuery: 1 } }),
      twoDevices: call(a, far),
      cpu: call(a, a, { backend: 'cpu' }),
      otherDevice: call(a, a, { device: 1 }),
      shape: call(a, short),
      hostOut: call(a, a, { out: { queryGrads: new Float32Array(rows * dim) } }),
      deviceOut: call(queries, keys, { out: { queryGrads: far } }),
      halfOut: call(a, a, { out: { queryGrads: half } }),
      shortOut: call(a, a, { out: { keyGrads: short } }),
      farOut: call(a, a, { out: { keyGrads: far } }),
      overlap: call(a, a, { out: { keyGrads: a } }),
      overlapOuts: call(first, first, { out: { queryGrads: short, keyGrads: short } }),
      nowhere: () => DeviceMatrix.wrap({ ...wrapped, pointer: 0x1000n }),
      wrongDevice: () => DeviceMatrix.wrap({ ...wrapped, device: 1 }),
      beyond: () => DeviceMatrix.wrap({ ...wrapped, shape: [1000 * rows, dim] }),
      noDevice: () => DeviceMatrix.wrap({ ...wrapped, device: 99 }),
      misaligned: () => DeviceMatrix.wrap({ ...wrapped, pointer: pointer + 2n }),
      number: () => DeviceMatrix.wrap({ ...wrapped, pointer: 4096 as unknown as bigint }),
      perThread: () => DeviceMatrix.wrap({ ...wrapped, stream: 2n }),
      stride: () => DeviceMatrix.wrap({ ...wrapped, rowStride: 39 }),
      dtype: () => DeviceMatrix.wrap({ ...wrapped, dtype: 'int8' as 'float32' }),
      typo: () => DeviceMatrix.wrap({ ...wrapped, rowstride: 50 } as object as typeof wrapped),
      rowsEmpty: () => a.rows(3, 3),
      rowsBeyond: () => a.rows(0, rows + 1),
      fromNowhere: () => DeviceMatrix.fromHost(queries, { device: 99 }),
      fromDevice: () => DeviceMatrix.fromHost(a as unknown as MatrixLike),
      memoryNowhere: () => deviceMemory(99),
    };
    const refused: Record<string, unknown> = {};
    for (const [name, run] of Object.entries(calls)) refused[name] = await outcome(run);
    return refused;
  },

  /** A thread that ends, or is ended, with matrices that nobody disposed of. */
  async threads() {
    const { free } = deviceMemory();
    const script = `
      require(${JSON.stringify(registerTypescript)});
      const { DeviceMatrix, deviceMemory } = require(${JSON.stringify(lib)});
      const { parentPort } = require('node:worker_threads');
      DeviceMatrix.fromHost({ data: new Float32Array(1e5).fill(1), shape: [1000, 100] }).then((matrix) => {
        globalThis.kept = matrix;
        if (process.argv.includes('stay')) setInterval(() => {}, 1000);
        parentPort.postMessage(deviceMemory());
      });`;
    const run = async (argv: string[]) => {
      const worker = new Worker(script, { eval: true, argv });
      const exit = once(worker, 'exit'); // which may come in the same turn as the message
      const [there] = await once(worker, 'message');
      const mine = held();
      if (argv.length > 0) await worker.terminate();
      await exit;
      return { there: { allocated: there.allocated, matrices: there.matrices }, mine };
    };
    return { ended: await run([]), terminated: await run(['stay']), grown: free - deviceMemory().free };
  },
};

function memoryOf(...matrices: DeviceMatrix[]): number {
  return matrices.reduce((sum, { shape, rowStride }) => sum + 4 * shape[0] * rowStride, 0);
}

async function outcome(run: () => unknown) {
  try {
    await run();
  } catch (error) {
    const { name, code, message } = error as InfclError;
    return { name, code, message };
  }
  return 'no error';
}

async function answerAll() {
  const answers: Record<string, unknown> = {};
  contrastiveLossAndGradSync(queries, keys, cuda); // what stays on the device is there from now on
  for (const [name, claim] of Object.entries(claims)) {
    try {
      answers[name] = await claim();
    } catch (error) {
      answers[name] = { threw: (error as Error).stack };
    }
  }
  return answers;
}

void answerAll().then((answers) => console.log(JSON.stringify(answers)));
