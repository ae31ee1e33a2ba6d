/**
 * The state of a training that does not depend on the model's form: named weights, the log of the temperature's
 * inverse, and the optimiser of both; saved to a checkpoint and restored from one. Refuses to know how features are
 * computed.
 */

import type { StepProgress } from 'infcl';
import { allFinite } from '../finite.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../saved/checkpoint.js';
import type { RunSettings } from '../saved/same-settings.js';
import { AdamW } from './adamw.js';

export const largestScale = 100;
const initialScale = 20;

/** Options of one training step of a model. */
export interface StepOptions {
  learningRate: number;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: StepProgress) => void;
}

export interface Update {
  /** Learning rate of each array of weights. */
  rates: readonly number[];
  /** Learning rate of the log of the scale. */
  scaleRate: number;
  /** d loss / d scale. */
  logitScaleGrad: number;
}

export class ModelState {
  private readonly logScale: Float32Array;
  private readonly optimiser: AdamW;

  /**
   * @param weights Arrays that the model owns and this state changes in place. Their order is that of all other
   * lists.
   * @param scale Where the scale begins.
   */
  constructor(
    private readonly weights: Readonly<Record<string, Float32Array>>,
    scale = initialScale,
  ) {
    this.logScale = Float32Array.of(Math.log(scale));
    this.optimiser = new AdamW([...Object.values(weights), this.logScale], {
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0,
    });
  }

  /** 1 / temperature, at most {@link largestScale}. */
  get scale(): number {
    return Math.min(largestScale, Math.exp(this.logScale[0]!));
  }

  /** One step of the optimiser. @param gradients One array for each array of weights. */
  update(gradients: readonly Float32Array[], { rates, scaleRate, logitScaleGrad }: Update): void {
    // d loss / d log s = s · d loss / d s
    const logScaleGrad = Float32Array.of(this.scale * logitScaleGrad);
    this.optimiser.step([...gradients, logScaleGrad], [...rates, scaleRate]);
    this.logScale[0] = Math.min(Math.log(largestScale), this.logScale[0]!);
  }

  /** Name of the first array of weights or of the optimiser's state that holds NaN or infinity. */
  firstNotFinite(): string | undefined {
    return Object.entries(this.arrays()).find(([, array]) => !allFinite(array))?.[0];
  }

  /** Throws OutputError. */
  save(path: string, run: Omit<Checkpoint, 'arrays'>): void {
    writeCheckpoint(path, { ...run, arrays: this.arrays() });
  }

  /**
   * Takes over the arrays in the file, and returns what the run kept beside them. Throws CheckpointError, and
   * changes nothing then.
   * @param run What the run that resumes knows beforehand; `encoders` is the number of random states.
   */
  restore(
    path: string,
    run: { config: RunSettings; steps: number; encoders: number },
  ): Pick<Checkpoint, 'step' | 'history' | 'randomStates'> {
    const arrays = Object.entries(this.arrays());
    const lengths = new Map(arrays.map(([name, array]) => [name, array.length]));
    const { step, history, randomStates, arrays: found } = readCheckpoint(path, { ...run, lengths });
    for (const [name, array] of arrays) array.set(found[name]!);
    this.optimiser.steps = step;
    return { step, history, randomStates };
  }

  private arrays(): Record<string, Float32Array> {
    const { means, squares } = this.optimiser;
    const arrays: Record<string, Float32Array> = { ...this.weights, logScale: this.logScale };
    means.forEach((mean, i) => {
      arrays[`mean${i}`] = mean;
      arrays[`square${i}`] = squares[i]!;
    });
    return arrays;
  }
}
