/** Ours against ourselves: more threads, larger batches, less workspace, the price of checking inputs. */
import { type BenchCase, threadCounts } from '../bench-case.js';
import { timedAfterRest } from '../duel.js';
import { type EngineAnswer, startEngine } from '../engine.js';
import { measurePeak, mebibyte, type PeakAnswer } from '../memory.js';
import type { Row } from '../report.js';
import { median } from '../statistics.js';

const threadScaling: BenchCase = {
  name: 'threads',
  title: 'One thread to two',
  async *run(context) {
    if (threadCounts(context, [1, 2]).length < 2) return;
    const shape = context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };
    const engine = await startEngine(shape);
    const seconds = async (threads: number) =>
      (await timedAfterRest<EngineAnswer>(engine, { threads })).seconds;
    const one: number[] = [];
    const two: number[] = [];
    for (let round = 0; round < (context.quick ? 3 : 7); round++) {
      one.push(await seconds(1));
      two.push(await seconds(2));
    }
    await engine.stop();
    const speedup = median(one.map((value, round) => value / two[round]));
    yield {
      label: `B ${shape.rows}, D ${shape.dim}`,
      cells: { '1 thread s': median(one), '2 threads s': median(two), speedup },
      targets: [{ what: 'speedup', value: speedup, limit: 1.8, direction: 'atLeast' }],
    };
  },
};

const doubling: BenchCase = {
  name: 'doubling',
  title: 'Cost as the batch doubles, D 256 (time should grow 4 times, memory 2)',
  async *run(context) {
    const dim = context.quick ? 64 : 256;
    const sizes = context.quick ? [1024, 2048, 4096, 8192] : [4096, 8192, 16384, 32768, 65536];
    let before: PeakAnswer | undefined;
    for (const rows of sizes) {
      const runs: PeakAnswer[] = [];
      for (let round = 0; round < (rows > 20000 ? 1 : 3); round++)
        runs.push(await measurePeak({ rows, dim }));
      const sorted = runs.sort((a, b) => a.seconds - b.seconds);
      const now = sorted[Math.floor(runs.length / 2)];
      yield {
        label: `B ${rows}, D ${dim}`,
        cells: {
          seconds: now.seconds,
          'time x': before ? now.seconds / before.seconds : '',
          'peak MiB': now.growthBytes / mebibyte,
          'memory x': before ? now.growthBytes / before.growthBytes : '',
          'dense b×b MiB': (rows * rows * 4) / mebibyte,
          'GFLOP/s': now.stats.flops / now.seconds / 1e9,
        },
      };
      before = now;
    }
  },
};

const memory: BenchCase = {
  name: 'memory',
  title: 'Peak resident memory of a call, and what a small workspace costs in time',
  async *run(context) {
    const shape = context.quick ? { rows: 8192, dim: 64 } : { rows: 65536, dim: 256 };
    const features = shape.rows * shape.dim * 4;
    const before = await measurePeak(shape);
    const small = await measurePeak({ ...shape, workspaceBytes: 64 * mebibyte });
    const after = await measurePeak(shape);
    const row = (label: string, answer: PeakAnswer, factor: number): Row => ({
      label: `B ${shape.rows}, D ${shape.dim}, ${label}`,
      cells: {
        seconds: answer.seconds,
        'peak MiB': answer.growthBytes / mebibyte,
        'law MiB': (factor * features) / mebibyte + 64,
        'workspace MiB': answer.stats.workspaceBytes / mebibyte,
        '(peak - 64 MiB) / BD4': (answer.growthBytes - 64 * mebibyte) / features,
      },
      targets: [
        {
          what: 'peak / law',
          value: answer.growthBytes / (factor * features + 64 * mebibyte),
          limit: 1,
          direction: 'atMost',
        },
      ],
    });
    yield row('default', before, 3.6);
    const ratio = small.seconds / ((before.seconds + after.seconds) / 2);
    const smallRow = row('workspaceBytes 64 MiB', small, 2.1);
    smallRow.cells['time / default'] = ratio;
    smallRow.targets!.push({ what: 'time', value: ratio, limit: 1.1, direction: 'atMost' });
    yield smallRow;
    yield row('default again', after, 3.6);
  },
};

const checks: BenchCase = {
  name: 'checks',
  title:
    'Price of looking for NaN and infinity: a call that ends at a NaN in the last key, beside a whole call',
  async *run(context) {
    const shape = context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };
    const engine = await startEngine(shape);
    const whole: number[] = [];
    const rejected: number[] = [];
    for (let round = 0; round < 5; round++) {
      rejected.push((await timedAfterRest<EngineAnswer>(engine, { poisoned: true })).seconds);
      whole.push((await timedAfterRest<EngineAnswer>(engine)).seconds);
    }
    await engine.stop();
    const share = median(rejected.map((seconds, round) => seconds / whole[round]));
    yield {
      label: `B ${shape.rows}, D ${shape.dim}`,
      cells: { 'whole s': median(whole), 'rejected s': median(rejected), share },
      targets: [{ what: 'share', value: share, limit: 0.01, direction: 'atMost' }],
    };
  },
};

const huge: BenchCase = {
  name: 'huge',
  title: 'A batch whose logits would take 256 GiB',
  async *run(context) {
    if (!context.huge) {
      context.skip('B 262144, D 64 takes minutes: add --huge');
      return;
    }
    const shape = context.quick ? { rows: 16384, dim: 64 } : { rows: 262_144, dim: 64 };
    const answer = await measurePeak(shape);
    yield {
      label: `B ${shape.rows}, D ${shape.dim}`,
      cells: {
        seconds: answer.seconds,
        'peak MiB': answer.growthBytes / mebibyte,
        'dense b×b MiB': (shape.rows ** 2 * 4) / mebibyte,
        'GFLOP/s': answer.stats.flops / answer.seconds / 1e9,
        loss: answer.loss,
      },
    };
  },
};

export const aloneCases: BenchCase[] = [threadScaling, doubling, memory, checks, huge];
