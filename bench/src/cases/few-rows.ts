/**
 * The cost of refinement, where float32 similarities cannot give the last digits of a loss
 * (docs/numerics.md): few rows, large scales. The base is the same call at scale 1, which needs no
 * second product.
 */
import type { BenchCase, BenchContext } from '../bench-case.js';
import { startEngine } from '../engine.js';
import type { Cosines } from '../unit-rows.js';
import { compare } from './options.js';

interface Stage {
  stage: string;
  cosines: Cosines;
}

const collapsed: Stage = { stage: 'all alike', cosines: { pairs: 0.9, strangers: 0.9 } };
const trained: Stage = { stage: 'trained', cosines: { pairs: 0.32, strangers: 0.08 } };

function shapes({ quick }: BenchContext): { rows: number; keys: number }[] {
  const square = quick ? [1, 64] : [1, 16, 128, 512, 1024, 2048];
  const wide = quick ? [1, 64] : [1, 128, 1024];
  return [
    ...square.map((rows) => ({ rows, keys: rows })),
    ...wide.map((rows) => ({ rows, keys: quick ? 2000 : 100_000 })),
  ];
}

const fewRows: BenchCase = {
  name: 'few-rows',
  title: 'The float64 product that few rows at scale 100 need, against the same call at scale 1',
  async *run(context) {
    for (const { stage, cosines } of [collapsed, trained])
      for (const { rows, keys } of shapes(context)) {
        const engine = await startEngine({ rows, keys, dim: 512, cosines });
        for (const products of ['full', 'forward'] as const) {
          const at = (logitScale: number) => ({
            products,
            options: { objective: 'infonce' as const, logitScale },
          });
          const label = `${stage}, M ${rows}, N ${keys}, ${products === 'full' ? 'loss and gradients' : 'loss only'}`;
          yield await compare(
            engine,
            { label, request: at(100), against: at(1) },
            context.quick || keys > rows ? 3 : 7,
          );
        }
        await engine.stop();
      }
  },
};

export const fewRowsCases: BenchCase[] = [fewRows];
