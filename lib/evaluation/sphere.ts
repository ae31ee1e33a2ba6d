/**
 * Where features lie on the unit sphere: alignment of pairs and uniformity of one side (Wang & Isola 2020,
 * "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere").
 *
 * Refuses rows of another length than 1.
 */

import { codedError } from '../errors';
import { contrastiveLoss } from '../loss/contrastive-loss';
import { allocate } from '../matrix/allocate';
import type { ReadableFeatures } from '../matrix/features';
import * as check from '../validate';
import { type EngineOptions, readOptionsOf, type SignalOption } from './read-options';
import { inSlices } from './turns';
import { readUnitRows, type UnitRows } from './unit-rows';

export interface AlignmentOptions extends SignalOption {
  /** Exponent of the distance, positive, up to 100. Default 2. */
  alpha?: number | undefined;
}

/**
 * Mean distance of the two rows of a pair, to the power α: mean ‖x_i − y_i‖^α. 0 is best. Computes in
 * float64.
 *
 * @param x [M × D], rows of length 1 within 0.004: what rounding changed in a length is set right.
 * @param y [M × D], the other side of each pair.
 *
 * Source: Wang & Isola 2020, L_align.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER,
 * ERR_DETACHED or ERR_OUT_OF_MEMORY.
 */
export async function alignment(
  x: ReadableFeatures,
  y: ReadableFeatures,
  options?: AlignmentOptions,
): Promise<number> {
  const { alpha: stated, signal } = readOptionsOf(options, ['alpha', 'signal']);
  const alpha = stated === undefined ? 2 : check.positiveFloat('options.alpha', stated, 100);
  const [left, right] = [readUnitRows('x', x), readUnitRows('y', y)];
  if (left.rows !== right.rows || left.dim !== right.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${left.rows}, ${left.dim}], the shape of x, for y but received [${right.rows}, ${right.dim}]`,
    );
  }
  let sum = 0;
  await inSlices(
    { count: left.rows, operationsEach: left.dim, reads: [left, right], signal },
    (begin, end) => {
      for (let row = begin; row < end; row++) sum += squaredDistance(left, right, row) ** (alpha / 2);
    },
  );
  return sum / left.rows;
}

function squaredDistance(left: UnitRows, right: UnitRows, row: number): number {
  const [a, b] = [row * left.rowStride, row * right.rowStride];
  const [scaleA, scaleB] = [left.factors[row]!, right.factors[row]!];
  let sum = 0;
  for (let d = 0; d < left.dim; d++) {
    sum += (scaleA * left.data[a + d]! - scaleB * right.data[b + d]!) ** 2;
  }
  return sum;
}

export interface UniformityOptions extends EngineOptions {
  /** Factor of the squared distance, positive, up to 10,000. Default 2. */
  t?: number | undefined;
}

/**
 * How evenly rows fill the sphere: log mean exp(−t ‖x_i − x_j‖²) over all pairs i ≠ j. 0, up to rounding,
 * where all rows are equal; about −2t + 2t² / D where rows are spread evenly. Less is more even. Computes on
 * the CPU backend, without storing the similarities: the log-sum-exp of each row over the others is that of
 * `supcon` with one class at scale 2t.
 *
 * @param x [N × D], at least two rows of length 1 within 0.004: what rounding changed in a length is set
 *   right.
 *
 * Source: Wang & Isola 2020, L_uniform.
 *
 * Rejects with the errors of {@link alignment}, ERR_SHAPE for a single row, and the errors of
 * `contrastiveLoss`.
 */
export async function uniformity(x: ReadableFeatures, options?: UniformityOptions): Promise<number> {
  const { t: stated, threads, signal } = readOptionsOf(options, ['t', 'threads', 'signal']);
  const t = stated === undefined ? 2 : check.positiveFloat('options.t', stated, 10_000);
  const read = readUnitRows('x', x);
  const { rows, dim } = read;
  if (rows < 2)
    throw codedError('ERR_SHAPE', `Expected at least two rows for x but received [${rows}, ${dim}]`);
  // the engine's scale is float32
  const logitScale = Math.fround(2 * t);
  const { rows: each } = await contrastiveLoss({ data: unitCopy(read), shape: [rows, dim] }, null, {
    objective: 'supcon',
    labels: new Int32Array(rows),
    logitScale,
    perRow: true,
    backend: 'cpu',
    threads,
    signal,
  });
  // ‖x_i − x_j‖² = 2 − 2 x_i·x_j
  const logMeans = Array.from(each.lse, (lse) => lse - Math.log(rows - 1) - logitScale);
  const largest = logMeans.reduce((a, b) => Math.max(a, b));
  const sum = logMeans.reduce((total, value) => total + Math.exp(value - largest), 0);
  return largest + Math.log(sum / rows);
}

function unitCopy({ data, rows, dim, rowStride, factors }: UnitRows): Float32Array {
  const into = allocate('a copy of x', rows * dim * 4, () => new Float32Array(rows * dim));
  for (let row = 0; row < rows; row++) {
    for (let d = 0; d < dim; d++) into[row * dim + d] = data[row * rowStride + d]! * factors[row]!;
  }
  return into;
}
