/**
 * Features of regions as bytes, each with the text that it shows, and the float rows that models see of them:
 * less the mean of the training regions, divided by one number. Bytes take a quarter of the memory.
 */

import { squareLength } from './squares.js';
import { windowFeatures } from './windows.js';

export interface RegionRows {
  rows: number;
  /** Uint8 [rows x 768]. */
  data: Uint8Array;
  /** The number of the text that each region shows. */
  labels: Int32Array;
}

/** What a training subtracts and divides by. */
export interface Centring {
  mean: Float32Array;
  spread: number;
}

/** Directions count twice as much as colours, which differ more between styles. */
const directionWeight = 2;
const weightOf = (feature: number) => (feature % squareLength < squareLength - 3 ? directionWeight : 1);
const weights = Float32Array.from({ length: windowFeatures }, (_, i) => weightOf(i));

/** A list of regions that grows. */
export class RegionList {
  private readonly parts: Uint8Array[] = [];
  private readonly labels: number[] = [];

  /** @param features Kept, not copied. */
  add(features: Uint8Array, label: number): void {
    this.parts.push(features);
    this.labels.push(label);
  }

  get length(): number {
    return this.labels.length;
  }

  toRows(): RegionRows {
    const data = new Uint8Array(this.length * windowFeatures);
    for (const [i, part] of this.parts.entries()) data.set(part, i * windowFeatures);
    return { rows: this.length, data, labels: Int32Array.from(this.labels) };
  }
}

export function joinRows(a: RegionRows, b: RegionRows): RegionRows {
  const data = new Uint8Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return { rows: a.rows + b.rows, data, labels: Int32Array.from([...a.labels, ...b.labels]) };
}

/** Those rows that a test of their label passes. */
export function rowsWhere(
  { rows, data, labels }: RegionRows,
  wanted: (label: number) => boolean,
): RegionRows {
  const list = new RegionList();
  for (let row = 0; row < rows; row++) {
    if (wanted(labels[row]!))
      list.add(data.subarray(row * windowFeatures, (row + 1) * windowFeatures), labels[row]!);
  }
  return list.toRows();
}

export function centringOf({ rows, data }: Pick<RegionRows, 'rows' | 'data'>): Centring {
  const sums = new Float64Array(windowFeatures);
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < windowFeatures; j++) {
      const value = weights[j]! * data[row * windowFeatures + j]!;
      sums[j]! += value;
      squares += value * value;
    }
  }
  const mean = Float32Array.from(sums, (sum) => sum / Math.max(1, rows));
  const meanSquares = mean.reduce((sum, value) => sum + value * value, 0);
  const variance = (squares / Math.max(1, rows) - meanSquares) / windowFeatures;
  return { mean, spread: Math.sqrt(Math.max(variance, 1e-6)) };
}

/** Writes one centred row. */
export function centreInto(
  data: Uint8Array,
  from: number,
  { mean, spread }: Centring,
  target: Float32Array,
  to: number,
): void {
  for (let j = 0; j < windowFeatures; j++)
    target[to + j] = (weights[j]! * data[from + j]! - mean[j]!) / spread;
}

/** All rows, centred, float32 [rows x 768]. */
export function centred({ rows, data }: Pick<RegionRows, 'rows' | 'data'>, centring: Centring): Float32Array {
  const result = new Float32Array(rows * windowFeatures);
  for (let row = 0; row < rows; row++)
    centreInto(data, row * windowFeatures, centring, result, row * windowFeatures);
  return result;
}
