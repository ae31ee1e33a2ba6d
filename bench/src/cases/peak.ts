/**
 * The fraction of the cores' peak arithmetic that the engine uses. Its products alternate with as many
 * multiply-adds in registers, so that both run at the same clock beside the same neighbours.
 */
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import { duelOf } from '../duel.js';
import { startEngine } from '../engine.js';
import type { Row } from '../report.js';
import { fmaPeak, type Shape, startFma } from '../yardsticks.js';

interface PeakRace extends Shape {
  threads: number;
  rounds: number;
  limit?: number;
}

async function race({ rows, dim, threads, rounds, limit }: PeakRace, isa: string): Promise<Row> {
  const burst = fmaPeak(isa, threads);
  const gflop = (4 * 2 * rows ** 2 * dim) / 1e9;
  const contestants = { ours: startEngine({ rows, dim }, isa), theirs: startFma(isa, threads, gflop) };
  const result = await duelOf(contestants, { threads }, rounds);
  const ourGflop = result.stats.flops / 1e9;
  const shareOf = (ratio: number) => ourGflop / gflop / ratio;
  const share = shareOf(result.ratio);
  return {
    label: `B ${rows}, D ${dim}`,
    cells: {
      isa,
      threads,
      products: (4 * ourGflop) / gflop,
      'ours s': result.ours,
      'GFLOP/s': ourGflop / result.ours,
      'multiply-adds alone, GFLOP/s': gflop / result.theirs,
      'share of them': share,
      '± share': share * result.ratioSpread,
      'quickest round of each': shareOf(result.quickestRatio),
      'share of their best 20 ms': ourGflop / result.ours / burst,
    },
    targets: limit ? [{ what: 'share', value: share, limit, direction: 'atLeast' }] : [],
  };
}

function* races(context: BenchContext): Generator<PeakRace> {
  const rounds = context.quick ? 3 : 9;
  const large = context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };
  const dims = context.quick ? [128] : [256, 768, 1024, 1536];
  for (const threads of threadCounts(context, [1, 2])) yield { ...large, threads, rounds, limit: 0.92 };
  const threads = Math.min(2, context.processors);
  if (!context.quick) yield { rows: 16384, dim: 512, threads, rounds: 5 };
  for (const dim of dims) yield { rows: context.quick ? 1024 : 8192, dim, threads, rounds };
}

export const peakCases: BenchCase[] = [
  {
    name: 'peak',
    title: 'Loss + gradients beside multiply-adds in registers: share of what the cores can do',
    async *run(context) {
      for (const one of races(context))
        yield* rowOrSkip(context, `B ${one.rows}, D ${one.dim}`, () => race(one, 'avx512'));
    },
  },
];
