/** Reads contrastive.golden.json, and says how far a gradient is from what that file keeps of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemName, type Recipe } from '../reference/problems';

interface GradientSummary {
  norm: number;
  sum: number;
  entries: [index: number, value: number][];
}

export interface Golden {
  recipe: Recipe;
  /** What an objective does not have is missing. */
  expected: {
    loss: number;
    accuracy?: number;
    logitScaleGrad: number;
    logitBiasGrad?: number;
    queryGrads: GradientSummary;
    keyGrads?: GradientSummary;
    hardNegativeGrads?: GradientSummary;
    /** Values of the first 32 queries. */
    lse?: number[];
    rowLoss: number[];
  };
}

export function readGoldens(): [string, Golden][] {
  const text = readFileSync(join(__dirname, 'contrastive.golden.json'), 'utf8');
  return (JSON.parse(text) as { cases: Golden[] }).cases.map((golden) => [
    problemName(golden.recipe),
    golden,
  ]);
}

/**
 * Largest error of a gradient against its summary, in units of the gradient's own norm (or of `floor`, where the
 * gradient cancels). The sum of n entries may be off by sqrt(n) times an entry's share, so it is held to that.
 */
export function summaryError(grads: ArrayLike<number>, golden: GradientSummary, floor: number): number {
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < grads.length; at++) {
    sum += grads[at];
    squares += grads[at] ** 2;
  }
  const errors = golden.entries.map(([at, value]) => Math.abs(grads[at] - value));
  errors.push(
    Math.abs(Math.sqrt(squares) - golden.norm),
    Math.abs(sum - golden.sum) / Math.sqrt(grads.length),
  );
  return Math.max(...errors) / Math.max(golden.norm, floor);
}
