/**
 * One tower in a step: its encode phase (no graph) and its backward phase (encode with a graph, push
 * gradients through). Knows chunks, random states, abort and progress.
 *
 * Refuses to know the loss.
 */

import { throwIfAborted } from '../on-abort';
import { encodeChunks } from './encode-chunks';
import { chunkCountError, readChunks } from './read-chunks';
import { RepresentationCache } from './representation-cache';
import {
  betweenChunks,
  type StepContext,
  type StepPhase,
  type StepProgress,
  secondsSince,
} from './step-context';
import { multiplyGrads } from './step-grads';
import type { StepTower } from './step-options';
import type { TowerName } from './tower';

export class TowerPass<Input> {
  readonly name: TowerName;
  readonly cache: RepresentationCache;
  /** Whether a backward phase will follow. */
  readonly trained: boolean;
  /** Rows that the caller expects, if known. */
  readonly expectedRows: number | undefined;
  encodeSeconds = 0;
  backwardSeconds = 0;
  /** Name in messages of the function that makes the chunks. */
  private readonly chunksName: string;

  /** @param gradScale Multiplies the gradients that go to the encoder. */
  constructor(
    private readonly tower: StepTower<Input>,
    private readonly gradScale: number,
  ) {
    this.name = tower.name;
    this.trained = tower.trained;
    this.expectedRows = tower.rows;
    this.cache = new RepresentationCache(tower.name, tower.rows, tower.normalize);
    this.chunksName = `${tower.name}.chunks`;
  }

  async encode(context: StepContext): Promise<void> {
    const began = performance.now();
    const { cache, trained, chunksName } = this;
    throwIfAborted(context.signal);
    await encodeChunks(this.tower, cache, {
      chunksName,
      keepStates: trained,
      afterChunk: () => betweenChunks(context, this.progress('encode', cache.rows)),
    });
    this.encodeSeconds = secondsSince(began) - cache.normalizeSeconds;
  }

  /**
   * Does nothing for a frozen tower.
   *
   * @param grads dLoss/dFeatures of this tower, [rows x dim]; null for a frozen tower.
   */
  async backward(grads: Float32Array | null, context: StepContext): Promise<void> {
    if (!this.trained) return;
    const began = performance.now();
    const { cache } = this;
    const { normalizeSeconds } = cache;
    const { encoder } = this.tower;
    const expected = cache.chunks.length;
    let index = 0;
    throwIfAborted(context.signal);
    for await (const input of readChunks<Input>(this.chunksName, this.tower.makeChunks)) {
      const chunk = cache.chunks[index];
      if (chunk === undefined) throw chunkCountError(this.chunksName, expected, `more than ${expected}`);
      encoder.restoreRandomState?.(chunk.randomState);
      const featureGrads = cache.gradsOfChunk(grads!, index);
      multiplyGrads(featureGrads.data, this.gradScale);
      await encoder.backward!(input, featureGrads);
      index++;
      await betweenChunks(context, this.progress('backward', chunk.firstRow + chunk.rows));
    }
    if (index < expected) throw chunkCountError(this.chunksName, expected, `${index}`);
    this.backwardSeconds = secondsSince(began) - (cache.normalizeSeconds - normalizeSeconds);
  }

  /** Saves the encoder's random state. The returned function restores it. */
  resumePoint(): () => void {
    const { encoder } = this.tower;
    if (!this.trained || encoder.randomState === undefined) return () => {};
    const state = encoder.randomState();
    return () => encoder.restoreRandomState!(state);
  }

  /** Bytes of the largest gradient that one `backward` call of the encoder received. */
  largestGradBytes(): number {
    if (!this.trained) return 0;
    const rows = this.cache.chunks.reduce((most, chunk) => Math.max(most, chunk.rows), 0);
    return rows * this.cache.dim * Float32Array.BYTES_PER_ELEMENT;
  }

  private progress(phase: Exclude<StepPhase, 'loss'>, rows: number): StepProgress {
    const total = phase === 'backward' ? this.cache.rows : this.expectedRows;
    const fraction = total === undefined ? undefined : Math.min(1, rows / total);
    return { phase, tower: this.tower.name, fraction, rows };
  }
}
