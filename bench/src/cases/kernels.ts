/**
 * The AVX-512 kernels by themselves, on the tiles that a call visits: share of the multiply-adds that the
 * core could have done meanwhile. Unlike `peak`, which times whole calls, it leaves out the slices that
 * were interrupted.
 */
import { spawnSync } from 'node:child_process';
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import type { Row } from '../report.js';
import { compileNative } from '../toolchain.js';
import { fmaPeak } from '../yardsticks.js';

const isa = 'avx512';
/** The flags that sources.cmake gives the AVX-512 kernels; -ffp-contract=off as for portable files, and no warnings. */
const flags = [
  '-ffp-contract=off',
  ...['f', 'bw', 'vl', 'dq'].map((set) => `-mavx512${set}`),
  '-mprefer-vector-width=512',
  '-w',
];

interface KernelRun {
  rows: number;
  dim: number;
  threads: number;
}

function measure(program: string, { rows, dim, threads }: KernelRun): Row {
  const { status, stdout, stderr } = spawnSync(program, [`${rows}`, `${dim}`, `${threads}`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tile-kernels failed: ${stderr}`);
  const [logits, fold, logitGrad, queries, keys, all] = stdout.trim().split(' ').map(Number);
  return {
    label: `B ${rows}, D ${dim}`,
    cells: {
      threads,
      logits,
      'fold, in products': fold,
      'logits and their gradients': logitGrad,
      d_queries: queries,
      d_keys: keys,
      'all, share of multiply-adds': all,
    },
    targets: [{ what: 'share', value: all, limit: 0.92, direction: 'atLeast' }],
  };
}

function* runs(context: BenchContext): Generator<KernelRun> {
  const rows = context.quick ? 1024 : 8192;
  for (const threads of threadCounts(context, [1, 2]))
    for (const dim of context.quick ? [128] : [256, 512, 1024, 1536]) yield { rows, dim, threads };
}

export const kernelCases: BenchCase[] = [
  {
    name: 'kernels',
    title: 'Kernels left to run, beside multiply-adds in registers: share of what the core can do',
    async *run(context) {
      let program: string | undefined;
      for (const one of runs(context))
        yield* rowOrSkip(context, `B ${one.rows}, D ${one.dim}`, async () => {
          fmaPeak(isa, 1); // throws where the set is missing, on which tile-kernels would crash
          program ??= compileNative('tile-kernels', { core: ['cpu/kernels/table_avx512.cpp'], flags });
          return measure(program, one);
        });
    },
  },
];
