/**
 * What each step sees: which icons, each under which shift, and what input dropout leaves of both sides. A pure
 * function of (seed, step), so that a resumed run sees what the first would have seen. Refuses to keep state but
 * the order of one epoch.
 */

import { type PaddedRows, padRows, type SparseMatrix } from '../../features/hashing.js';
import { Random } from '../../random.js';
import { EpochOrder } from '../../train/epoch-order.js';
import { imageFeatures } from '../features/hog.js';
import type { Centring, ImageMatrix } from '../features/image-matrix.js';
import type { ImageChunk } from './image-side.js';

export interface TrainingData {
  /** Features of the training icons, one matrix for each shift; row i of each is icon i. */
  images: readonly ImageMatrix[];
  centring: Centring;
  /** Features of the captions. */
  texts: SparseMatrix;
  /** The row of `texts` that is the caption of icon i. */
  captionOf: Int32Array;
}

export interface IconBatch {
  rows: number;
  /** Chunk i of one side belongs to chunk i of the other. */
  images: ImageChunk[];
  texts: PaddedRows[];
}

export interface BatchOptions {
  batch: number;
  seed: number;
  /** Probability of dropping each feature of the input, on both sides. */
  dropout: number;
  /** Icons in a chunk, at most. */
  chunkRows: number;
}

const { floor } = Math;

export class IconBatches {
  private readonly order: EpochOrder;

  constructor(
    private readonly data: TrainingData,
    private readonly options: BatchOptions,
  ) {
    this.order = new EpochOrder(data.captionOf.length, options.batch, options.seed, 'icons');
  }

  get perEpoch(): number {
    return this.order.steps;
  }

  /** The batch of this step, counted from 0. */
  at(step: number): IconBatch {
    const { batch, seed, chunkRows } = this.options;
    const rows = this.order.at(step);
    const random = Random.stream(seed, 1_000_000 + step);
    const images: ImageChunk[] = [];
    const texts: PaddedRows[] = [];
    for (let begin = 0; begin < batch; begin += chunkRows) {
      const chunk = rows.subarray(begin, begin + chunkRows);
      images.push(this.images(chunk, random));
      texts.push(this.texts(chunk, random));
    }
    return { rows: batch, images, texts };
  }

  private images(rows: Int32Array, random: Random): ImageChunk {
    const { images, centring } = this.data;
    const { mean, spread } = centring;
    const mask = new Mask(this.options.dropout, random);
    const factor = mask.scale / spread;
    const data = new Float32Array(rows.length * imageFeatures);
    rows.forEach((row, i) => {
      const matrix = images[floor(random.uniform() * images.length)]!.data;
      const [from, to] = [row * imageFeatures, i * imageFeatures];
      for (let j = 0; j < imageFeatures; j++) {
        if (mask.keeps()) data[to + j] = factor * (matrix[from + j]! - mean[j]!);
      }
    });
    return { rows: rows.length, data };
  }

  private texts(rows: Int32Array, random: Random): PaddedRows {
    const { texts, captionOf } = this.data;
    const chunk = padRows(
      texts,
      rows.map((row) => captionOf[row]!),
    );
    const mask = new Mask(this.options.dropout, random);
    const { values } = chunk;
    for (let i = 0; i < values.length; i++) {
      if (values[i] !== 0) values[i] = mask.keeps() ? mask.scale * values[i]! : 0;
    }
    return chunk;
  }
}

/** Answers "kept or dropped?" with four answers from one draw. The probability is rounded to a multiple of 1/256. */
export class Mask {
  /** What makes good for the dropped values. */
  readonly scale: number;
  private readonly below: number;
  private bits = 0;
  private left = 0;

  constructor(
    dropout: number,
    private readonly random: Random,
  ) {
    this.below = Math.round(256 * dropout);
    this.scale = 256 / (256 - this.below);
  }

  keeps(): boolean {
    if (this.left === 0) {
      this.bits = this.random.next32();
      this.left = 4;
    }
    const byte = this.bits & 255;
    this.bits >>>= 8;
    this.left--;
    return byte >= this.below;
  }
}
