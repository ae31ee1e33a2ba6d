/** Ours against the matrix products alone by OpenBLAS, and against what the cores can do at all. */
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import { duelOf } from '../duel.js';
import { startEngine } from '../engine.js';
import type { Row, Target } from '../report.js';
import { fmaPeak, type Products, type Shape, startFloor } from '../yardsticks.js';

interface FloorRace extends Shape {
  threads: number;
  rounds: number;
  products?: Products;
  isa?: string;
  coreType?: string;
  /** Limits of the ratio to the floor, and of the fraction of peak. */
  limits?: { ratio?: number; share?: number };
}

function targetsOf({ limits = {} }: FloorRace, ratio: number, share?: number): Target[] {
  const targets: Target[] = [];
  if (limits.ratio) targets.push({ what: 'ratio', value: ratio, limit: limits.ratio, direction: 'atMost' });
  if (limits.share && share !== undefined)
    targets.push({ what: 'share of peak', value: share, limit: limits.share, direction: 'atLeast' });
  return targets;
}

async function race(label: string, options: FloorRace): Promise<Row> {
  const { threads, rounds, products = 'full', isa, coreType } = options;
  const contestants = {
    ours: startEngine(options, isa),
    theirs: startFloor(options, threads, products, coreType),
  };
  const result = await duelOf(contestants, { threads, products }, rounds);
  const { isa: ranOn, flops } = result.stats;
  const gflops = flops / result.ours / 1e9;
  // no ruler for the scalar kernels
  const share = ranOn === 'scalar' ? undefined : gflops / fmaPeak(ranOn, threads);
  return {
    label,
    cells: {
      isa: ranOn,
      threads,
      // below those of the floor where logits of the forward pass were kept
      products: flops / (2 * options.rows ** 2 * options.dim),
      'ours s': result.ours,
      'floor s': result.theirs,
      ratio: result.ratio,
      '± ratio': result.ratio * result.ratioSpread,
      'GFLOP/s': gflops,
      'of FMA peak': share ?? '',
      'floor kernel': result.greeting.split(' ')[0],
    },
    targets: targetsOf(options, result.ratio, share),
  };
}

const shapeLabel = ({ rows, dim }: Shape) => `B ${rows}, D ${dim}`;

async function* raceAll(context: BenchContext, races: FloorRace[]): AsyncGenerator<Row> {
  for (const options of races) {
    const notes = [
      shapeLabel(options),
      options.products,
      options.isa,
      options.coreType && `floor ${options.coreType}`,
    ];
    const label = notes.filter(Boolean).join(', ');
    yield* rowOrSkip(context, `${label}, ${options.threads} threads`, () => race(label, options));
  }
}

export const floorCases: BenchCase[] = [
  {
    name: 'floor',
    title: 'Loss + gradients against the 4 matrix products alone (OpenBLAS)',
    async *run(context) {
      const rounds = context.quick ? 3 : 7;
      const large = context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };
      const medium = context.quick ? { rows: 1024, dim: 128 } : { rows: 4096, dim: 256 };
      for (const threads of threadCounts(context, [1, 2])) {
        const common = { threads, rounds };
        yield* raceAll(context, [
          { ...large, ...common, isa: 'avx512', limits: { ratio: 1, share: 0.86 } },
          { ...large, ...common, isa: 'avx2' },
          // a floor without AVX-512 either: where 512 bits take no longer than 256, no AVX2 code reaches the other
          { ...large, ...common, isa: 'avx2', coreType: 'Haswell', limits: { ratio: 1.1 } },
          { ...medium, ...common },
        ]);
      }
    },
  },
  {
    name: 'dims',
    title: 'The same over feature sizes',
    async *run(context) {
      const threads = Math.min(2, context.processors);
      const dims = context.quick ? [64, 256, 768] : [64, 256, 512, 768, 1024, 1536];
      const shapes = dims.map((dim) => ({ rows: context.quick ? 1024 : 4096, dim }));
      yield* raceAll(
        context,
        shapes.map((shape) => ({ ...shape, threads, rounds: context.quick ? 3 : 7 })),
      );
    },
  },
  {
    name: 'parts',
    title: 'Loss only (1 product), frozen keys (3 products), both gradients (4)',
    async *run(context) {
      const shape = context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };
      const common = { ...shape, threads: Math.min(2, context.processors), rounds: context.quick ? 3 : 5 };
      const products: Products[] = ['forward', 'frozen', 'full'];
      yield* raceAll(
        context,
        products.map((part) => ({ ...common, products: part })),
      );
    },
  },
];
