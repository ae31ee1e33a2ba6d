/**
 * Regularised canonical correlation analysis between dense image features and sparse text features. It is the
 * closed-form linear answer to the question that the towers learn, on the same features.
 * `examples/src/baseline/cca.ts` has the equations; there both sides are sparse, and small enough for dense
 * covariances. Here the text side has 16,384 columns, whose covariance would take 1 GB:
 *
 *   B = (Cyy + ρ_y)⁻¹ Cyx  by conjugate gradients,  M = Lx⁻¹ Cxy B Lx⁻ᵀ  with Cxx + ρ_x = Lx Lxᵀ
 *
 * The leading eigenvectors U of M give the directions: Lx⁻ᵀ U of images, and B Lx⁻ᵀ U of texts, which are weighted
 * by their correlations. Refuses to choose the ridges.
 */

import { orthonormal, randomMatrix } from '../../baseline/cca.js';
import { Cholesky, type Dense, multiply, transpose } from '../../baseline/cholesky.js';
import { breathe } from '../../breathe.js';
import type { SparseMatrix } from '../../features/hashing.js';
import { solveRidge } from './ridge-solve.js';

export interface IconCca {
  /** [image features x directions], for centred features. */
  image: Dense;
  /** [text columns x directions], for texts less {@link textMean}. */
  text: Dense;
  textMean: Float32Array;
}

export interface IconCcaData {
  /** Centred image features, float32 [icons x features], in slices of rows: never all at once. */
  images: { rows: number; dim: number; slice: (first: number, end: number) => Float32Array };
  texts: SparseMatrix;
  /** The row of `texts` that is the caption of icon i. */
  captionOf: Int32Array;
}

export interface IconCcaOptions {
  directions: number;
  /** Added to the diagonal of the covariance of each side. */
  imageRidge: number;
  textRidge: number;
  signal?: AbortSignal;
}

const sliceRows = 4096;
/** Rounds of the subspace iteration, which converges fast where eigenvalues fall fast. */
const rounds = 6;

export async function fitIconCca(data: IconCcaData, options: IconCcaOptions): Promise<IconCca> {
  const { imageRidge, textRidge, signal } = options;
  const { images, captionOf } = data;
  const { texts, original } = withoutEmptyColumns(data.texts);
  const counts = new Float64Array(texts.rows);
  for (const caption of captionOf) counts[caption]!++;
  const xx = await imageCovariance(data, imageRidge, signal);
  const textMean = meanText(texts, counts, images.rows);
  const yx = await crossCovariance({ images, texts, captionOf }, signal);
  const weights = counts.map((count) => count / images.rows);
  const problem = { matrix: texts, weights, mean: textMean, ridge: textRidge };
  const b = await solveRidge(problem, yx, signal);
  const x = await Cholesky.factor(xx, signal);
  const xy = transpose(yx);
  // M Lx = Lx⁻¹ Cxy B, and M is symmetric
  const half = await x.solveLower(await multiply(xy, b, signal));
  const m = await x.solveLower(transpose(half));
  const directions = Math.min(options.directions, images.dim);
  let u = await orthonormal(randomMatrix(images.dim, directions), signal);
  for (let i = 0; i < rounds; i++) u = await orthonormal(await multiply(m, u, signal), signal);
  const image = await x.solveUpper(u);
  const text = await multiply(b, image, signal);
  return { image, ...spread({ text, textMean }, original, data.texts.columnCount) };
}

/**
 * The same rows with numbers for the columns in use only, and the column that each number stands for: loops are
 * over few.
 */
function withoutEmptyColumns(texts: SparseMatrix): { texts: SparseMatrix; original: Int32Array } {
  const original = Int32Array.from(new Set(texts.columns)).sort();
  const places = new Map(Array.from(original, (column, place) => [column, place]));
  const columns = texts.columns.map((column) => places.get(column)!);
  return { texts: { ...texts, columns, columnCount: original.length }, original };
}

/** Rows of 0 for the columns that no text has. */
function spread(
  { text, textMean }: Pick<IconCca, 'text' | 'textMean'>,
  original: Int32Array,
  columnCount: number,
): Pick<IconCca, 'text' | 'textMean'> {
  const width = text.columns;
  const data = new Float32Array(columnCount * width);
  const mean = new Float32Array(columnCount);
  original.forEach((column, place) => {
    data.set(text.data.subarray(place * width, (place + 1) * width), column * width);
    mean[column] = textMean[place]!;
  });
  return { text: { rows: columnCount, columns: width, data }, textMean: mean };
}

/** E[x xᵀ] + ρ I, for x that are centred already. */
async function imageCovariance({ images }: IconCcaData, ridge: number, signal?: AbortSignal): Promise<Dense> {
  const { rows, dim, slice } = images;
  const sum = new Float64Array(dim * dim);
  for (let first = 0; first < rows; first += sliceRows) {
    const end = Math.min(rows, first + sliceRows);
    const x = { rows: end - first, columns: dim, data: slice(first, end) };
    const { data } = await multiply(transpose(x), x, signal);
    for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
  }
  const data = Float32Array.from(sum, (value) => value / rows);
  for (let i = 0; i < dim; i++) data[i * dim + i]! += ridge;
  return { rows: dim, columns: dim, data };
}

/** Mean of the texts, each as often as icons have it. */
function meanText(texts: SparseMatrix, counts: Float64Array, icons: number): Float32Array {
  const mean = new Float64Array(texts.columnCount);
  for (let row = 0; row < texts.rows; row++) {
    for (let j = texts.starts[row]!; j < texts.starts[row + 1]!; j++)
      mean[texts.columns[j]!]! += (counts[row]! * texts.values[j]!) / icons;
  }
  return Float32Array.from(mean);
}

/** E[y xᵀ] for centred x, [text columns x image features]: images of one caption are added up first. */
async function crossCovariance(
  { images, texts, captionOf }: IconCcaData,
  signal?: AbortSignal,
): Promise<Dense> {
  const { rows, dim, slice } = images;
  const sums = new Float32Array(texts.rows * dim);
  for (let first = 0; first < rows; first += sliceRows) {
    await breathe(signal);
    const end = Math.min(rows, first + sliceRows);
    const x = slice(first, end);
    for (let row = first; row < end; row++) {
      const to = captionOf[row]! * dim;
      const from = (row - first) * dim;
      for (let d = 0; d < dim; d++) sums[to + d]! += x[from + d]! / rows;
    }
  }
  const data = new Float32Array(texts.columnCount * dim);
  for (let row = 0; row < texts.rows; row++) {
    if (row % sliceRows === 0) await breathe(signal);
    for (let j = texts.starts[row]!; j < texts.starts[row + 1]!; j++) {
      const value = texts.values[j]!;
      const to = texts.columns[j]! * dim;
      for (let d = 0; d < dim; d++) data[to + d]! += value * sums[row * dim + d]!;
    }
  }
  return { rows: texts.columnCount, columns: dim, data };
}
