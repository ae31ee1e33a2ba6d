/**
 * The whole trainable state: two sides, the log of the temperature's inverse, the optimiser; and one training step
 * through `chunkedStep`. A step that fails or is aborted leaves all of it as it was.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepProgress, type StepResult } from 'infcl';
import type { Dataset } from '../features/dataset.js';
import { type PaddedRows, padRows, type SparseMatrix } from '../features/hashing.js';
import { allFinite } from '../finite.js';
import { readCheckpoint, writeCheckpoint } from '../saved/checkpoint.js';
import type { RunSettings } from '../saved/same-settings.js';
import { AdamW } from './adamw.js';
import { chunkRows, initialWeights, type MakeSide, type Side } from './side.js';
import type { History } from './training.js';

export const largestScale = 100;
const initialScale = 20;
/** The one scalar of the loss moves five times faster than the weights. */
const scaleRateFactor = 5;
/** Room for the random states of both sides to be apart. */
const rightSeedOffset = 0x51ed270b;

export interface StepOptions {
  learningRate: number;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: StepProgress) => void;
}

export class DualEncoder {
  readonly left: Side;
  readonly right: Side;
  readonly logScale = Float32Array.of(Math.log(initialScale));
  readonly optimiser: AdamW;

  constructor(
    private readonly dataset: Dataset,
    options: { seed: number; dropout: number; makeSide: MakeSide },
  ) {
    const { seed, dropout, makeSide } = options;
    this.left = makeSide(initialWeights(seed, 1), { seed, dropout });
    this.right = makeSide(initialWeights(seed, 2), { seed: (seed + rightSeedOffset) >>> 0, dropout });
    this.optimiser = new AdamW([this.left.weights, this.right.weights, this.logScale], {
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0,
    });
  }

  get scale(): number {
    return Math.min(largestScale, Math.exp(this.logScale[0]!));
  }

  /** @param rows Row numbers of the pairs of this batch: row i of one side belongs to row i of the other. */
  async step(rows: Int32Array, options: StepOptions): Promise<StepResult> {
    const { left, right, dataset, scale } = this;
    const states = this.randomStates();
    let result: StepResult;
    try {
      result = await chunkedStep({
        queries: { encoder: left.encoder, chunks: () => chunksOf(dataset.left, rows), rows: rows.length },
        keys: { encoder: right.encoder, chunks: () => chunksOf(dataset.right, rows), rows: rows.length },
        loss: { objective: 'clip', logitScale: scale, threads: options.threads },
        signal: options.signal,
        onProgress: options.onProgress,
      });
    } catch (error) {
      left.discardGradients();
      right.discardGradients();
      this.restoreRandomStates(states);
      throw error;
    }
    // d loss / d log s = s · d loss / d s
    const logScaleGrad = Float32Array.of(scale * result.logitScaleGrad);
    const rate = options.learningRate;
    this.optimiser.step(
      [await left.takeGradients(), await right.takeGradients(), logScaleGrad],
      [rate, rate, scaleRateFactor * rate],
    );
    this.logScale[0] = Math.min(Math.log(largestScale), this.logScale[0]!);
    left.upload();
    right.upload();
    return result;
  }

  /** Name of the first array of weights or of the optimiser's state that holds NaN or infinity. */
  firstNotFinite(): string | undefined {
    return Object.entries(this.arrays()).find(([, array]) => !allFinite(array))?.[0];
  }

  /** Throws OutputError. */
  save(path: string, run: { step: number; config: RunSettings; history: History }): void {
    writeCheckpoint(path, { ...run, randomStates: this.randomStates(), arrays: this.arrays() });
  }

  /** Takes over the state in the file and returns what the run kept beside it. Throws CheckpointError, and changes nothing then. */
  restore(path: string, run: { config: RunSettings; steps: number }): { step: number; history: History } {
    const arrays = Object.entries(this.arrays());
    const lengths = new Map(arrays.map(([name, array]) => [name, array.length]));
    const found = readCheckpoint(path, { ...run, lengths, encoders: this.randomStates().length });
    for (const [name, array] of arrays) array.set(found.arrays[name]!);
    this.optimiser.steps = found.step;
    this.restoreRandomStates(found.randomStates);
    this.left.upload();
    this.right.upload();
    return { step: found.step, history: found.history };
  }

  dispose(): void {
    this.left.dispose();
    this.right.dispose();
  }

  private arrays(): Record<string, Float32Array> {
    const { means, squares } = this.optimiser;
    const arrays: Record<string, Float32Array> = {
      left: this.left.weights,
      right: this.right.weights,
      logScale: this.logScale,
    };
    means.forEach((mean, i) => {
      arrays[`mean${i}`] = mean;
      arrays[`square${i}`] = squares[i]!;
    });
    return arrays;
  }

  private randomStates(): number[] {
    return [this.left, this.right].map((side) => side.encoder.randomState!() as number);
  }

  private restoreRandomStates(states: readonly number[]): void {
    this.left.encoder.restoreRandomState!(states[0]);
    this.right.encoder.restoreRandomState!(states[1]);
  }
}

function* chunksOf(matrix: SparseMatrix, rows: Int32Array): Generator<PaddedRows> {
  for (let start = 0; start < rows.length; start += chunkRows) {
    yield padRows(matrix, rows.subarray(start, start + chunkRows));
  }
}
