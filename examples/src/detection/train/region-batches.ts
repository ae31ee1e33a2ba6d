/**
 * What each step sees: which regions, what input dropout leaves of them, and which texts they show. A pure
 * function of (seed, step), so that a resumed run sees what the first would have seen.
 */

import { Mask } from '../../icons/train/icon-batches.js';
import type { ImageChunk } from '../../icons/train/image-side.js';
import { Random } from '../../random.js';
import { EpochOrder } from '../../train/epoch-order.js';
import { type Centring, centreInto, type RegionRows } from '../features/region-rows.js';
import { windowFeatures } from '../features/windows.js';

export interface RegionBatch {
  rows: number;
  images: ImageChunk[];
  /** The text of each region. */
  labels: Int32Array;
}

export interface RegionBatchOptions {
  batch: number;
  seed: number;
  /** Probability of dropping each feature. */
  dropout: number;
  /** Regions in a chunk, at most. */
  chunkRows: number;
}

export class RegionBatches {
  private readonly order: EpochOrder;

  constructor(
    private readonly regions: RegionRows,
    private readonly centring: Centring,
    private readonly options: RegionBatchOptions,
  ) {
    this.order = new EpochOrder(regions.rows, options.batch, options.seed, 'regions');
  }

  get perEpoch(): number {
    return this.order.steps;
  }

  /** The batch of this step, counted from 0. */
  at(step: number): RegionBatch {
    const { batch, seed, chunkRows } = this.options;
    const rows = this.order.at(step);
    const random = Random.stream(seed, 1_000_000 + step);
    const images: ImageChunk[] = [];
    for (let begin = 0; begin < batch; begin += chunkRows)
      images.push(this.chunk(rows.subarray(begin, begin + chunkRows), random));
    return { rows: batch, images, labels: rows.map((row) => this.regions.labels[row]!) };
  }

  private chunk(rows: Int32Array, random: Random): ImageChunk {
    const mask = new Mask(this.options.dropout, random);
    const data = new Float32Array(rows.length * windowFeatures);
    rows.forEach((row, i) => {
      centreInto(this.regions.data, row * windowFeatures, this.centring, data, i * windowFeatures);
    });
    for (let i = 0; i < data.length; i++) data[i] = mask.keeps() ? mask.scale * data[i]! : 0;
    return { rows: rows.length, data };
  }
}
