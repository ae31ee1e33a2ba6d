/**
 * The model of the dictionary: two sides and the state of their training, and one training step through
 * `chunkedStep`. A step that fails or is aborted leaves all of it as it was. On several ranks, each rank has the whole
 * model, encodes its chunks of the batch, and makes the same update as the others.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepResult } from 'infcl';
import type { ProcessGroup } from 'infcl/distributed';
import type { Dataset } from '../features/dataset.js';
import { type PaddedRows, padRows, type SparseMatrix } from '../features/hashing.js';
import type { RunSettings } from '../saved/same-settings.js';
import type { History, Trainable } from './loop.js';
import { ModelState, type StepOptions } from './model-state.js';
import { commonError, shardOf } from './ranks.js';
import { chunkRows, initialWeights, type MakeSide, type Side } from './side.js';

/** The one scalar of the loss moves five times faster than the weights. */
const scaleRateFactor = 5;
/** Room for the random states of both sides to be apart. */
const rightSeedOffset = 0x51ed270b;

export interface DualEncoderOptions {
  seed: number;
  dropout: number;
  makeSide: MakeSide;
  /** Rows of a chunk, by default as many as the demo encodes at once. */
  chunkRows?: number;
  /** The ranks that train this model together. */
  group?: ProcessGroup;
}

export class DualEncoder implements Trainable {
  readonly left: Side;
  readonly right: Side;
  private readonly state: ModelState;

  constructor(
    private readonly dataset: Dataset,
    private readonly options: DualEncoderOptions,
  ) {
    const { seed, dropout, makeSide } = options;
    this.left = makeSide(initialWeights(seed, 1), { seed, dropout });
    this.right = makeSide(initialWeights(seed, 2), { seed: (seed + rightSeedOffset) >>> 0, dropout });
    this.state = new ModelState({ left: this.left.weights, right: this.right.weights });
  }

  get scale(): number {
    return this.state.scale;
  }

  /** @param rows Row numbers of the pairs of this batch: row i of one side belongs to row i of the other. */
  async step(rows: Int32Array, options: StepOptions): Promise<StepResult> {
    const { left, right, dataset, scale } = this;
    const { group, chunkRows: perChunk = chunkRows } = this.options;
    const { begin, end, firstChunk, allChunks } = shardOf(rows.length, perChunk, group);
    const own = rows.subarray(begin, end);
    const chunks = (matrix: SparseMatrix) => () => chunksOf(matrix, own, perChunk);
    const states = this.randomStates();
    this.restoreRandomStates(states.map((drawn) => drawn + firstChunk));
    let result: StepResult;
    try {
      result = await chunkedStep({
        queries: { encoder: left.encoder, chunks: chunks(dataset.left), rows: own.length },
        keys: { encoder: right.encoder, chunks: chunks(dataset.right), rows: own.length },
        loss: { objective: 'clip', logitScale: scale, threads: options.threads },
        group,
        signal: options.signal,
        onProgress: options.onProgress,
      });
    } catch (error) {
      left.discardGradients();
      right.discardGradients();
      this.restoreRandomStates(states);
      throw group ? await commonError(group, error) : error;
    }
    this.restoreRandomStates(states.map((drawn) => drawn + allChunks));
    const gradients = [await left.takeGradients(), await right.takeGradients()];
    const rate = options.learningRate;
    this.state.update(group ? await sumsOf(gradients, group) : gradients, {
      rates: [rate, rate],
      scaleRate: scaleRateFactor * rate,
      logitScaleGrad: result.logitScaleGrad,
    });
    left.upload();
    right.upload();
    return result;
  }

  firstNotFinite(): string | undefined {
    return this.state.firstNotFinite();
  }

  save(path: string, run: { step: number; config: RunSettings; history: History }): void {
    this.state.save(path, { ...run, randomStates: this.randomStates() });
  }

  restore(path: string, run: { config: RunSettings; steps: number }): { step: number; history: History } {
    const { randomStates, ...found } = this.state.restore(path, {
      ...run,
      encoders: this.randomStates().length,
    });
    this.restoreRandomStates(randomStates);
    this.left.upload();
    this.right.upload();
    return found;
  }

  dispose(): void {
    this.left.dispose();
    this.right.dispose();
  }

  private randomStates(): number[] {
    return [this.left, this.right].map((side) => side.encoder.randomState!() as number);
  }

  private restoreRandomStates(states: readonly number[]): void {
    this.left.encoder.restoreRandomState!(states[0]);
    this.right.encoder.restoreRandomState!(states[1]);
  }
}

function* chunksOf(matrix: SparseMatrix, rows: Int32Array, perChunk: number): Generator<PaddedRows> {
  for (let start = 0; start < rows.length; start += perChunk) {
    yield padRows(matrix, rows.subarray(start, start + perChunk));
  }
}

/** The gradients of all ranks, added up. Copies: a framework may keep its arrays in memory that moves. */
function sumsOf(gradients: readonly Float32Array[], group: ProcessGroup): Promise<Float32Array[]> {
  return Promise.all(gradients.map((gradient) => group.allReduce(gradient.slice())));
}
