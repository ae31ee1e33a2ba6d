/**
 * One tower's way through a step: the first pass over its chunks (encode, no graph) and the second (encode with a
 * graph, push gradients through). Knows chunks, random states, abort and progress; refuses to know the loss.
 */

import { codedError } from '../errors';
import type { Encoder } from './encoder';
import { RepresentationCache } from './representation-cache';

export type TowerName = 'queries' | 'keys';

export interface Tower<Input> {
  /** One encoder may serve both towers. Without `backward` the tower is frozen. */
  encoder: Encoder<Input>;
  /**
   * Makes an iterator over the chunks of this step's batch. Called twice (once for a frozen tower) and must yield
   * the same chunks both times; chunks are pulled one at a time and dropped before the next is asked for.
   */
  chunks: () => Iterable<Input> | AsyncIterable<Input>;
  /** Total rows, if known beforehand: the feature matrix is then allocated once instead of grown. */
  rows?: number;
}

export interface StepProgress {
  phase: 'encode' | 'loss' | 'backward';
  /** Absent in the loss, which sees both towers. */
  tower?: TowerName;
  /** 0 to 1 within the phase of this tower; absent while the total is unknown. */
  fraction?: number;
  /** Rows of this tower done in this phase; in the loss, rows of queries. */
  rows: number;
}

/** What every pass of a step shares. */
export interface StepContext {
  signal?: AbortSignal;
  onProgress?: (progress: StepProgress) => void;
}

export class TowerPass<Input> {
  readonly cache: RepresentationCache;
  /** Whether a second pass will follow. */
  readonly trained: boolean;
  encodeSeconds = 0;
  backwardSeconds = 0;
  private readonly encoder: Encoder<Input>;

  constructor(
    private readonly name: TowerName,
    private readonly tower: Tower<Input>,
    gradWanted: boolean | { rows: number } = true,
  ) {
    checkTower(name, tower);
    if (typeof gradWanted !== 'boolean') {
      throw codedError(
        'ERR_ENCODER',
        `Expected boolean for loss.grad.${name} but received an object: a chunked tower is trained whole or not at all`,
      );
    }
    this.encoder = tower.encoder;
    this.trained = gradWanted && this.encoder.backward !== undefined;
    this.cache = new RepresentationCache(name, tower.rows);
  }

  async encode(context: StepContext): Promise<void> {
    const began = performance.now();
    const { cache, encoder } = this;
    context.signal?.throwIfAborted();
    for await (const input of this.tower.chunks()) {
      const randomState = this.trained ? encoder.randomState?.() : undefined;
      cache.append(await encoder.encode(input), randomState);
      this.report('encode', cache.rows, context);
      await betweenChunks(context);
    }
    if (cache.rows === 0) {
      throw codedError(
        'ERR_CHUNKS',
        `Expected at least one chunk from ${this.name}.chunks() but received none`,
      );
    }
    this.encodeSeconds = secondsSince(began);
  }

  /** @param grads dLoss/dFeatures of this tower, [rows x dim]. Does nothing for a frozen tower. */
  async backward(grads: Float32Array, context: StepContext): Promise<void> {
    if (!this.trained) return;
    const began = performance.now();
    const { cache, encoder } = this;
    let index = 0;
    context.signal?.throwIfAborted();
    for await (const input of this.tower.chunks()) {
      const chunk = cache.chunks[index];
      if (chunk === undefined) throw this.chunkCountError(`more than ${cache.chunks.length}`);
      encoder.restoreRandomState?.(chunk.randomState);
      await encoder.backward!(input, cache.gradsOfChunk(grads, index));
      index++;
      this.report('backward', chunk.firstRow + chunk.rows, context);
      await betweenChunks(context);
    }
    if (index < cache.chunks.length) throw this.chunkCountError(`${index}`);
    this.backwardSeconds = secondsSince(began);
  }

  /** Remembers the encoder's random state as it is now; the returned function puts it back. */
  resumePoint(): () => void {
    if (!this.trained || this.encoder.randomState === undefined) return () => {};
    const state = this.encoder.randomState();
    return () => this.encoder.restoreRandomState!(state);
  }

  /** Bytes of the largest gradient that one `backward` call received. */
  largestGradBytes(): number {
    if (!this.trained) return 0;
    const rows = this.cache.chunks.reduce((most, chunk) => Math.max(most, chunk.rows), 0);
    return rows * this.cache.dim * Float32Array.BYTES_PER_ELEMENT;
  }

  private report(phase: 'encode' | 'backward', rows: number, context: StepContext): void {
    const total = phase === 'backward' ? this.cache.rows : this.tower.rows;
    const fraction = total === undefined ? undefined : Math.min(1, rows / total);
    context.onProgress?.({ phase, tower: this.name, fraction, rows });
  }

  private chunkCountError(received: string): Error {
    return codedError(
      'ERR_CHUNKS',
      `Expected ${this.cache.chunks.length} chunks from the second ${this.name}.chunks(), as from the first, but received ` +
        `${received}: every call must return a fresh iterator over the same chunks`,
    );
  }
}

function checkTower<Input>(name: TowerName, tower: Tower<Input>): void {
  const { encoder, chunks, rows } = tower ?? {};
  if (typeof encoder?.encode !== 'function') {
    throw codedError(
      'ERR_ENCODER',
      `Expected an encoder with an encode method for ${name}.encoder but received ${typeof encoder}`,
    );
  }
  if ((encoder.randomState === undefined) !== (encoder.restoreRandomState === undefined)) {
    throw codedError(
      'ERR_ENCODER',
      `Expected both randomState and restoreRandomState, or neither, on ${name}.encoder but received one`,
    );
  }
  if (typeof chunks !== 'function') {
    throw codedError(
      'ERR_CHUNKS',
      `Expected a function that makes an iterator for ${name}.chunks but received ${typeof chunks}`,
    );
  }
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows > 0)) {
    throw codedError(
      'ERR_SHAPE',
      `Expected positive integer for ${name}.rows but received ${rows} of type ${typeof rows}`,
    );
  }
}

/**
 * Looks at the signal while no chunk is in flight (a pulled chunk may own device memory that only its encoder frees).
 * Encoders may never leave the microtask queue, so that timers and Ctrl-C get their turn here.
 */
async function betweenChunks({ signal }: StepContext): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
