/**
 * How far a result may be from the float64 oracle, in one place, for every test (docs/numerics.md says why).
 *
 * Loss: |a - b| <= 1e-6 max(1, |b|). Gradients: |out - ref| <= 1e-5 |ref| in the Frobenius norm. Logits are float32,
 * so their rounding grows with the largest of them, and what is made of them alone follows: gradients are held to
 * 5e-7 of it once it passes what rows of length one reach at scale 50 (so 5e-5 at 100), the loss of a row to 2.5e-7
 * of it more (two logits, two roundings of 2^-24 each). Where products are made in bfloat16, the gradients of logits
 * are rounded to 8 bits: feature gradients are then held to 1e-2, and the rest, being summed before, as in float32.
 */
import type { DenseResult } from '../reference/dense';
import type { FloatMatrix } from '../reference/inputs';
import type { Problem } from '../reference/problems';

export interface EngineOutput {
  loss: number;
  accuracy: number;
  queryGrads: Float32Array;
  keyGrads: Float32Array;
  hardNegativeGrads?: Float32Array;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rows: { loss: Float32Array; lse: Float32Array; positiveFirst: Uint8Array };
  maskedPairs: number;
}

/** Each error in units of what is allowed, so that 1 is the limit everywhere. */
export interface Verdict {
  loss: number;
  queryGrads: number;
  keyGrads: number;
  hardNegativeGrads: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rowLoss: number;
  rowLse: number;
  /** How far the smallest row loss lies below zero, in units in the last place of what it is a difference of. */
  negativeLoss: number;
  /** Rows whose positive is ranked otherwise than the oracle does, although the margin exceeds rounding; counts double. */
  positiveFirst: number;
  /** Masked pairs too many or too few; count double. */
  maskedPairs: number;
}

export interface Leniency {
  /** Fraction of a gradient's usual size: a smaller gradient is measured against it. */
  share?: number;
  /** Products in bfloat16. */
  narrow?: boolean;
  /**
   * Every similarity is exact in float32. Then a logit is exact up to 2^20, and beyond that distinct logits are so far
   * apart that their rounding decides nothing. So gradients keep the bound of small logits, at any size.
   */
  exactDots?: boolean;
}

/** @param rounding The largest logit, where its own rounding shows. */
export function lossBound(reference: number, rounding = 0): number {
  return 1e-6 * Math.max(1, Math.abs(reference)) + 2 ** -23 * rounding;
}

export function gradientBound(largestLogit: number): number {
  return largestLogit <= 50 ? 1e-5 : Math.max(1e-5, 5e-7 * largestLogit);
}

const narrowBound = 1e-2;

/**
 * Where every positive has probability one the gradient cancels to nothing, and only its absolute error means
 * something. Then it is measured against a share of the gradient's usual size, which is s |x| / sqrt(M), x the other
 * side's rows. A 32nd allows a probability near one five units in the last place (1e-5 / 32 = 5.2 x 2^-24).
 */
export const usualShare = 1 / 32;

/** Gradients of logits in 8 bits: terms that cancel are each off by 2^-9 of the usual size, a fifth of the bound. */
const narrowShare = 1 / 4;

/** All logits tie: what cancels is a sum of hundreds of equal terms, which round the same way (448 x 2^-24 = 3e-5). */
export const shareOfTies = 1;

export function gradientFloor(
  other: FloatMatrix,
  rows: number,
  logitScale: number,
  share = usualShare,
): number {
  const meanSquare = norm(other.data) ** 2 / other.shape[0];
  return (share * logitScale * Math.sqrt(meanSquare)) / Math.sqrt(rows);
}

/** |out - ref| / max(|ref|, floor), Frobenius norms. */
export function gradientError(out: ArrayLike<number>, reference: ArrayLike<number>, floor: number): number {
  if (out.length !== reference.length) return Number.POSITIVE_INFINITY;
  let squares = 0;
  for (let at = 0; at < out.length; at++) squares += (out[at] - reference[at]) ** 2;
  return squares === 0 ? 0 : Math.sqrt(squares) / Math.max(norm(reference), floor); // of zeros, both may be zero
}

export function judge(
  { queries, keys, options }: Problem,
  out: EngineOutput,
  oracle: DenseResult,
  { share = usualShare, narrow = false, exactDots = false }: Leniency = {},
): Verdict {
  const { largestLogit: largest, largestDot, magnitudes } = oracle;
  const rows = queries.shape[0];
  const logitScale = options.logitScale!;
  const bound = exactDots ? gradientBound(0) : gradientBound(largest);
  const mass = Math.max(1, magnitudes.bias); // no more than 2 but for siglip, whose rows have a term per key
  const gradientShare = narrow ? Math.max(share, narrowShare) : share;
  const floorOf = (matrix: FloatMatrix) => mass * gradientFloor(matrix, rows, logitScale, gradientShare);
  const meetsItself = keys !== null && comparesOwnSide(options);
  const longerSide = meetsItself ? Math.max(floorOf(queries), floorOf(keys)) : 0;
  const gradient = (ours: Float32Array | undefined, reference: Float64Array, other: FloatMatrix) =>
    gradientError(ours ?? [], reference, Math.max(floorOf(other), longerSide)) /
    (narrow ? Math.max(narrowBound, bound) : bound);
  const scalar = (ours: number, reference: number, usual: number) => {
    if (ours === reference) return 0; // both may be zero, and so may what they are measured by
    return Math.abs(ours - reference) / (bound * Math.max(Math.abs(reference), share * usual));
  };
  const worst = (ours: Float32Array, reference: Float64Array) => {
    const errors = Array.from(ours, (value, i) => {
      if (Object.is(value, reference[i])) return 0; // NaN where an objective has no such thing, -inf of an empty row
      const allowed = 1e-6 * Math.max(1, Math.abs(reference[i])) + 2.5e-7 * largest;
      return Math.abs(value - reference[i]) / allowed;
    });
    return largestOf(errors);
  };
  return {
    loss:
      Math.abs(out.loss - oracle.loss) / lossBound(oracle.loss, exactDots && largest > 2 ** 20 ? largest : 0),
    queryGrads: gradient(out.queryGrads, oracle.queryGrads, keys ?? queries),
    keyGrads: gradient(out.keyGrads, oracle.keyGrads, queries),
    hardNegativeGrads: gradient(out.hardNegativeGrads, oracle.hardNegativeGrads, queries),
    logitScaleGrad: scalar(out.logitScaleGrad, oracle.logitScaleGrad, Math.max(largestDot, magnitudes.scale)),
    logitBiasGrad: scalar(out.logitBiasGrad, oracle.logitBiasGrad, Math.max(1, magnitudes.bias)),
    rowLoss: worst(out.rows.loss, oracle.rows.loss),
    rowLse: worst(out.rows.lse, oracle.rows.lse),
    negativeLoss: largestOf(
      Array.from(out.rows.loss, (loss, i) => {
        const lse = Math.abs(out.rows.lse[i]);
        return -loss / (2 ** -23 * Math.max(1, Number.isFinite(lse) ? lse : 0));
      }),
    ),
    positiveFirst: misranked(out, oracle),
    maskedPairs: 2 * Math.abs(out.maskedPairs - oracle.maskedPairs),
  };
}

/** Whether rows meet rows of their own side, so that both sides' rows make up their gradients. */
function comparesOwnSide({ objective, directions = [] }: Problem['options']): boolean {
  const own = directions.includes('queryToQuery') || directions.includes('keyToKey');
  return own || objective === 'ntxent' || objective === 'supcon';
}

function misranked(out: EngineOutput, { rows, largestLogit, accuracy }: DenseResult): number {
  const wrong = Array.from(rows.margin, (margin, i) => {
    const certain = margin === 0 || Math.abs(margin) > 2e-6 * largestLogit;
    return certain && rows.positiveFirst[i] !== out.rows.positiveFirst[i] ? 1 : 0;
  });
  const share = out.rows.positiveFirst.reduce((sum, first) => sum + first, 0) / wrong.length;
  const consistent = Number.isNaN(accuracy)
    ? Number.isNaN(out.accuracy)
    : Math.abs(share - out.accuracy) <= 1e-9;
  return wrong.reduce((sum: number, one) => sum + 2 * one, consistent ? 0 : 2);
}

/** The verdict's entries above the limit (NaN is), as text; empty when all is well. */
export function failures(verdict: Verdict): string[] {
  return Object.entries(verdict)
    .filter(([, error]) => !(error <= 1))
    .map(([what, error]) => `${what} is ${error.toPrecision(3)} times the limit`);
}

/** Unlike Math.max, takes any length and keeps NaN. */
function largestOf(values: number[]): number {
  return values.reduce(
    (largest, value) => (largest >= value || Number.isNaN(largest) ? largest : value),
    Number.NEGATIVE_INFINITY,
  );
}

function norm(values: ArrayLike<number>): number {
  let squares = 0;
  for (let at = 0; at < values.length; at++) squares += values[at] ** 2;
  return Math.sqrt(squares);
}
