/** Ours, as a contestant: starts engine-child.ts on one instruction set and types what it answers. */
import { join } from 'node:path';
import type { AnyContrastiveOptions, Stats } from 'infcl';
import { LineProcess } from './line-process.js';
import { benchFolder, Unavailable } from './toolchain.js';
import type { Cosines } from './unit-rows.js';
import type { Products, Shape } from './yardsticks.js';

export interface EngineRequest {
  products?: Products;
  threads?: number;
  /** Merged into the call's options. */
  options?: AnyContrastiveOptions;
  /**
   * Compares the first half of the queries with the second: as many rows in all as queries,
   * for self-similarity.
   */
  halves?: boolean;
  /** supcon: number of classes that rows are dealt to. */
  classes?: number;
  /** True: a NaN in the last key, so that the call ends once every input has been read. */
  poisoned?: boolean;
}

export interface EngineAnswer {
  seconds: number;
  /** Absent for a poisoned call. */
  stats?: Stats;
}

export interface EngineShape extends Shape {
  /** Where there are more keys than queries. */
  keys?: number;
  /** How alike the features are; default: independent noise. */
  cosines?: Cosines;
  /**
   * Where given: the greeting is a Growth in JSON (resident.ts), of the first calls with as many threads. Linux only.
   */
  growthThreads?: number;
}

/** `isa`: undefined for the machine's best. */
export async function startEngine(shape: EngineShape, isa?: string): Promise<LineProcess> {
  const script = join(benchFolder, 'dist', 'engine-child.js');
  const env = { INFCL_ISA: isa };
  try {
    return await LineProcess.start({ file: process.execPath, args: [script, JSON.stringify(shape)], env });
  } catch (error) {
    if (error instanceof Error && error.message.includes('ERR_ISA'))
      throw new Unavailable(`this machine lacks ${isa}`);
    throw error;
  }
}
