/** Ours against what people use today: dense PyTorch, and tiles written by hand in jax-js. */
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import { duelOf } from '../duel.js';
import { startEngine } from '../engine.js';
import type { LineProcess } from '../line-process.js';
import type { Row } from '../report.js';
import { type Shape, startJax, startTorch } from '../yardsticks.js';

interface PeerRace extends Shape {
  threads: number;
  rounds: number;
  start(): Promise<LineProcess>;
  /** Bytes; by default the planner's choice. */
  workspaceBytes?: number;
  /** How many times faster we mean to be. */
  limit?: number;
  /** For the label. */
  note?: string;
}

async function* race(context: BenchContext, peer: string, options: PeerRace): AsyncGenerator<Row> {
  const { rows, dim, threads, rounds, limit, workspaceBytes, note = '' } = options;
  const room = workspaceBytes ? `, workspace ${workspaceBytes / 2 ** 20} MiB` : '';
  const label = `B ${rows}, D ${dim}, ours with ${threads}${room}${note}`;
  yield* rowOrSkip(context, `${peer}, ${label}`, async () => {
    const contestants = { ours: startEngine(options), theirs: options.start() };
    const request = workspaceBytes ? { threads, options: { workspaceBytes } } : { threads };
    const result = await duelOf(contestants, request, rounds);
    const faster = 1 / result.ratio;
    return {
      label,
      cells: {
        'ours s': result.ours,
        [`${peer} s`]: result.theirs,
        'times faster': faster,
        'workspace MiB': result.stats.workspaceBytes / 2 ** 20,
        products: result.stats.flops / (2 * rows * rows * dim),
        version: result.greeting,
      },
      targets: limit ? [{ what: 'times faster', value: faster, limit, direction: 'atLeast' }] : [],
    };
  });
}

export const peerCases: BenchCase[] = [
  {
    name: 'torch',
    title: 'Dense PyTorch, loss + gradients, same number of threads',
    async *run(context) {
      const [threads] = threadCounts(context, [2]);
      if (!threads) return;
      const dim = context.quick ? 128 : 512;
      const sizes = context.quick ? [1024, 2048] : [8192, 16384];
      for (const [at, rows] of sizes.entries()) {
        const rounds = context.quick ? 3 : rows > 10000 ? 2 : 5;
        const start = () => startTorch({ rows, dim }, threads, false);
        const common = { rows, dim, threads, rounds, start, limit: [2, 3][at] };
        yield* race(context, 'torch', common);
        // Most of its time may be the clearing of 4 KiB pages: what remains when it is given large ones.
        const given = () => startTorch({ rows, dim }, threads, true);
        yield* race(context, 'torch', {
          ...common,
          start: given,
          limit: undefined,
          note: ', PyTorch given huge pages',
        });
        // Room for every logit once, where dense PyTorch holds several such matrices: three products remain.
        yield* race(context, 'torch', { ...common, workspaceBytes: rows * rows * 5 + 2 ** 26 });
      }
    },
  },
  {
    name: 'jax',
    title: 'jax-js, tiles of 1024 by hand, one thread (its wasm backend has one)',
    async *run(context) {
      const shape = context.quick ? { rows: 2048, dim: 64 } : { rows: 4096, dim: 256 };
      for (const threads of threadCounts(context, [1, 2])) {
        const start = () => startJax(shape, 1024);
        const rounds = context.quick ? 2 : 5;
        yield* race(context, 'jax-js', {
          ...shape,
          threads,
          rounds,
          start,
          limit: threads > 1 ? 10 : undefined,
        });
      }
    },
  },
];
