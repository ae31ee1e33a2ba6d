/**
 * Ours against dense losses that run in Node today: a graph for ONNX Runtime, the strongest of them, and tfjs. Both
 * sides compute the same numbers, checked in the peer's process, and both report their peak memory.
 */
import { freemem } from 'node:os';
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import { startEngine } from '../engine.js';
import type { LineProcess } from '../line-process.js';
import { mebibyte } from '../memory.js';
import { type Outcome, race, rowOf } from '../node-race.js';
import type { Row, Target } from '../report.js';
import { Unavailable } from '../toolchain.js';
import { type OnnxRequest, type Shape, startOnnx, startTfjs } from '../yardsticks.js';

interface PeerRace extends Shape {
  threads: number;
  rounds: number;
  start(): Promise<LineProcess>;
}

/** The loss and both gradients. */
function lossRace({ rows, dim, threads, rounds, start }: PeerRace): Promise<Outcome> {
  const ours = () => startEngine({ rows, dim, growthThreads: threads });
  return race({ ours, theirs: start, request: { threads }, rounds });
}

type Form = Pick<OnnxRequest, 'form' | 'memoryPatterns'>;

/** As ONNX Runtime comes, and without its memory patterns: about half the memory. */
const asItComes: Form[] = [
  { form: 'softmax', memoryPatterns: true },
  { form: 'log-sum-exp', memoryPatterns: true },
  { form: 'query blocks', memoryPatterns: true },
];
const lean: Form = { form: 'softmax', memoryPatterns: false };

/** Matrices of logits that ONNX Runtime was seen to hold at one time, 8.5, and a little more. */
const denseMatrices = 9;

function refuseWithoutMemory(rows: number): void {
  const needed = denseMatrices * rows * rows * 4 + 1024 * mebibyte;
  if (freemem() >= needed) return;
  const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  throw new Unavailable(
    `needs ${gibibytes(needed)} GiB of free memory, and ${gibibytes(freemem())} GiB are free`,
  );
}

function onnxTargets({ rows }: Shape, { timesFaster, timesLess }: Outcome): Target[] {
  const targets: Target[] = [];
  if (rows >= 4096)
    targets.push({ what: 'times faster', value: timesFaster, limit: 1.5, direction: 'atLeast' });
  if (rows === 8192)
    targets.push({ what: 'times less memory', value: timesLess, limit: 15, direction: 'atLeast' });
  return targets;
}

interface OnnxSizes extends Shape {
  threads: number;
  blockRows: number;
  /** Pairs of timings that choose the fastest form, and pairs of the comparison with this form. */
  trialRounds: number;
  rounds: number;
}

/** Every form in few rounds, then the fastest one, which alone is compared and held to targets. */
async function* onnxRows(context: BenchContext, sizes: OnnxSizes): AsyncGenerator<Row> {
  const { rows, dim, threads, blockRows, trialRounds, rounds } = sizes;
  const against = (form: Form, count: number) => {
    refuseWithoutMemory(rows);
    const start = () => startOnnx({ rows, dim, threads, blockRows, ...form });
    return lossRace({ rows, dim, threads, rounds: count, start });
  };
  const shape = `B ${rows}, D ${dim}`;
  const trials: { form: Form; timesFaster: number }[] = [];
  for (const form of [...asItComes, lean]) {
    const label = `${shape}, ${form.form}${form === lean ? ', memory patterns off' : ''}`;
    yield* rowOrSkip(context, label, async () => {
      const outcome = await against(form, trialRounds);
      if (form !== lean) trials.push({ form, timesFaster: outcome.timesFaster });
      return rowOf(label, outcome);
    });
  }
  const [fastest] = trials.sort((a, b) => a.timesFaster - b.timesFaster);
  if (!fastest) return;
  const label = `${shape}, the fastest as it comes: ${fastest.form.form}`;
  yield* rowOrSkip(context, label, async () => {
    const outcome = await against(fastest.form, rounds);
    return { ...rowOf(label, outcome), targets: onnxTargets(sizes, outcome) };
  });
}

function* onnxSizes({ quick }: BenchContext, threads: number): Generator<OnnxSizes> {
  const all = quick ? [512, 1024] : [2048, 4096, 8192, 16384];
  for (const rows of all) {
    const blockRows = Math.min(1024, rows / 2);
    const rounds = quick ? { trialRounds: 1, rounds: 2 } : { trialRounds: rows > 10000 ? 1 : 3, rounds: 9 };
    for (const dim of quick ? [64] : [256, 512]) yield { rows, dim, threads, blockRows, ...rounds };
  }
}

const onnx: BenchCase = {
  name: 'onnx',
  title: 'ONNX Runtime, loss + gradients as a graph, same number of threads',
  async *run(context) {
    for (const threads of threadCounts(context, [2]))
      for (const sizes of onnxSizes(context, threads)) yield* onnxRows(context, sizes);
  },
};

const tfjs: BenchCase = {
  name: 'tfjs',
  title: 'Dense tfjs on its wasm backend, loss differentiated by tfjs, one thread (the backend has one)',
  async *run(context) {
    const shapes = context.quick
      ? [{ rows: 256, dim: 64 }]
      : [1024, 2048].map((rows) => ({ rows, dim: 256 }));
    for (const shape of shapes) {
      for (const threads of threadCounts(context, [1, 2])) {
        const label = `B ${shape.rows}, D ${shape.dim}, ours with ${threads}`;
        const rounds = context.quick ? 2 : 9;
        const start = () => startTfjs(shape);
        yield* rowOrSkip(context, label, async () =>
          rowOf(label, await lossRace({ ...shape, threads, rounds, start })),
        );
      }
    }
  },
};

export const nodePeerCases: BenchCase[] = [onnx, tfjs];
