/**
 * Two towers of a host, their inputs and their chunks, ready for steps. Records features, counts open chunk
 * iterators, and compares gradients with the float64 oracle.
 */

import type { MatrixLike, StepProgress } from '../../../lib';
import { chunkedStep, type Encoder } from '../../../lib/trainer';
import { handWrittenHost } from './hand-written';
import type { Host, HostTower, TowerOptions } from './host';
import { type DenseStep, denseStep, inputDim, makeInputs, makeParameters, type Parameters } from './network';

export const logitScale = 5;
export const rows = 24;
/** The largest difference from the oracle, relative to the length of the gradient: ten roundings of float32. */
export const tolerance = 1e-5;

// biome-ignore lint/suspicious/noExplicitAny: a pair may join two hosts, and each has its own type of chunk
export type AnyHost = Host<any>;

export interface SideOptions {
  tower?: Partial<TowerOptions>;
  inputs?: Float32Array;
  /** Rows of each chunk. */
  sizes?: readonly number[];
  host?: AnyHost;
}

/** One side of a pair. Its chunks are made anew for each pass, and freed as the step asks for the next one. */
export class Side {
  /** Rows of each chunk; a case may change them between passes. */
  sizes: readonly number[];
  /** Runs before each chunk is made, with the number of the pass, counted from 1, and of the chunk, from 0. */
  beforeChunk: (pass: number, index: number) => unknown = () => {};
  /** How many passes over the chunks have begun, and how many have been closed. */
  opened = 0;
  closed = 0;
  /** What `encode` returned, chunk after chunk. */
  readonly encoded: MatrixLike[] = [];
  readonly encoder: Encoder<unknown>;

  constructor(
    readonly host: AnyHost,
    readonly tower: HostTower<unknown>,
    readonly initial: Parameters,
    readonly inputs: Float32Array,
    sizes: readonly number[],
  ) {
    this.sizes = sizes;
    const { encode } = tower.encoder;
    this.encoder = {
      ...tower.encoder,
      encode: async (chunk) => {
        const features = (await Reflect.apply(encode, tower.encoder, [chunk])) as MatrixLike;
        // a host may free or reuse its array, as the step copies features at once
        this.encoded.push({
          ...features,
          shape: features.shape ?? features.dims,
          data: features.data.slice(),
        });
        return features;
      },
    };
  }

  get trained(): boolean {
    return this.tower.encoder.backward !== undefined;
  }

  chunks = async function* (this: Side) {
    const pass = ++this.opened;
    let row = 0;
    try {
      for (const [index, size] of this.sizes.entries()) {
        await this.beforeChunk(pass, index);
        yield* this.one(row, size);
        row += size;
      }
    } finally {
      this.closed++;
    }
  }.bind(this);

  /** The chunk of `size` rows from `row` on. */
  makeChunk(row: number, size: number): unknown {
    return this.host.makeChunk(this.inputs.slice(row * inputDim, (row + size) * inputDim));
  }

  dense() {
    return { parameters: this.initial, inputs: this.inputs };
  }

  private *one(row: number, size: number) {
    const chunk = this.makeChunk(row, size);
    try {
      yield chunk;
    } finally {
      this.host.freeChunk?.(chunk);
    }
  }
}

export async function makeSide(host: AnyHost, seed: number, options: SideOptions): Promise<Side> {
  const given = { parameters: makeParameters(seed), frozen: !host.trains, ...options.tower };
  const inputs = options.inputs ?? makeInputs(rows, seed + 50);
  const tower = await host.makeTower(given);
  return new Side(host, tower, given.parameters, inputs, options.sizes ?? [inputs.length / inputDim]);
}

export class Pair {
  constructor(
    readonly queries: Side,
    readonly keys: Side,
  ) {}

  get sides(): readonly Side[] {
    return [this.queries, this.keys];
  }

  /** @param extra Options of the step, and of its loss, beside those of the pair. */
  step({
    loss,
    ...rest
  }: {
    loss?: object;
    signal?: AbortSignal;
    onProgress?: (progress: StepProgress) => void;
  } = {}) {
    return chunkedStep({
      queries: { encoder: this.queries.encoder, chunks: this.queries.chunks },
      keys: { encoder: this.keys.encoder, chunks: this.keys.chunks },
      loss: { logitScale, ...loss },
      ...rest,
    });
  }

  dense(): DenseStep {
    return denseStep(this.queries.dense(), this.keys.dense(), logitScale);
  }

  /** Takes the gradients of both towers. A frozen tower must have none. */
  async takeGradients(): Promise<(Parameters | undefined)[]> {
    return Promise.all(this.sides.map((side) => (side.trained ? side.tower.takeGradients() : undefined)));
  }
}

/** Makes a pair, hands it to `work`, and frees it. Hosts that cannot train get a hand-written queries tower. */
export async function withPair(
  host: AnyHost,
  { queries = {}, keys = {} }: { queries?: SideOptions; keys?: SideOptions },
  work: (pair: Pair) => Promise<void>,
): Promise<void> {
  const pair = new Pair(
    await makeSide(queries.host ?? (host.trains ? host : handWrittenHost), 1, queries),
    await makeSide(keys.host ?? host, 2, keys),
  );
  try {
    await work(pair);
  } finally {
    for (const { tower } of pair.sides) tower.dispose();
  }
}

/** Fails unless |actual - expected| <= limit |expected|, and unless there is something to compare. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, limit = tolerance): void {
  expect(actual.length).toBe(expected.length);
  const norm = Math.hypot(...Array.from(expected));
  expect(norm).toBeGreaterThan(1e-4);
  const difference = Math.hypot(...Array.from(expected, (value, i) => value - actual[i]!));
  expect(difference / norm).toBeLessThan(limit);
}

export function expectParameters(
  actual: Parameters<ArrayLike<number>> | undefined,
  expected: Parameters<ArrayLike<number>>,
  limit = tolerance,
): void {
  expect(actual).toBeDefined();
  expectClose(actual!.weights, expected.weights, limit);
  expectClose(actual!.bias, expected.bias, limit);
}

/** Compares the loss, and the gradients of all trained towers, with the oracle. */
export async function expectDense(pair: Pair, loss: number, dense = pair.dense()): Promise<void> {
  expect(Math.abs(loss - dense.loss)).toBeLessThan(tolerance);
  const taken = await pair.takeGradients();
  for (const [i, { trained }] of pair.sides.entries()) {
    if (trained) expectParameters(taken[i], dense.gradients[i]!);
  }
}
