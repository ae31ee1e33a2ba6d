/**
 * Calls of the CUDA backend through the public API: a few problems of every objective, option and element
 * type. Shapes are small, because an emulator executes every instruction, but larger than a tile. Holds
 * data only.
 */
import type { ExactCase } from '../../exactness/cases';

export interface CudaCase extends ExactCase {
  /** Relative errors allowed of the loss and of gradients; measured on the emulator, and rounded up. */
  bounds: { loss: number; gradient: number };
}

/** float32 as two planes of bfloat16. */
const wide = { loss: 1e-5, gradient: 2e-4 };
const wideAtScale100 = { loss: 1e-5, gradient: 1e-3 };
/** G is rounded to 11 and to 8 bits. */
const float16 = { loss: 1e-5, gradient: 2e-3 };
const bfloat16 = { loss: 1e-5, gradient: 1e-2 };

const clip = {
  objective: 'clip',
  rows: 150,
  keys: 150,
  dim: 40,
  logitScale: 15,
  seed: 10,
  alike: 3,
} as const;
const infonce = { ...clip, objective: 'infonce', keys: 290, labelSeed: 500 } as const;

export const cudaCases: CudaCase[] = [
  { ...clip, bounds: wide },
  { ...clip, rows: 1, keys: 1, dim: 1, bounds: wide },
  { ...clip, logitScale: 100, dim: 65, bounds: wideAtScale100 },
  { ...infonce, bounds: wide },
  { ...infonce, ids: 40, weights: true, labelSmoothing: 0.1, hardPerQuery: 2, bounds: wide },
  { ...clip, falseNegativeMargin: 0.05, hardness: { strength: 2, on: 'all' }, bounds: wide },
  { ...clip, objective: 'ntxent', bounds: wide },
  { ...clip, objective: 'supcon', classes: 30, bounds: wide },
  { ...clip, objective: 'supcon', keys: 0, classes: 30, bounds: wide },
  { ...clip, objective: 'siglip', logitBias: -8, bounds: wide },
  {
    ...infonce,
    keys: 150,
    labelSeed: undefined,
    directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'],
    partition: 'joint',
    bounds: wide,
  },
  { ...clip, dtype: 'float16', bounds: float16 },
  { ...clip, dtype: 'bfloat16', bounds: wide },
  { ...clip, dtype: 'bfloat16', compute: 'bfloat16', bounds: bfloat16 },
];
