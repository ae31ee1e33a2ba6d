/** Reads contrastive.golden.json, rebuilds each case's inputs from its seeds, and says how far a result is from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectiveName } from '../reference/dense';
import { makeLabels, makePair, type Pair } from '../reference/inputs';

interface GradientSummary {
  norm: number;
  sum: number;
  entries: [index: number, value: number][];
}

export interface Golden {
  objective: ObjectiveName;
  rows: number;
  keys: number;
  dim: number;
  logitScale: number;
  alike: number;
  seed: number;
  labelSeed: number | null;
  loss: number;
  logitScaleGrad: number;
  queryGrads: GradientSummary;
  keyGrads: GradientSummary;
  lse: number[];
  rowLoss: number[];
}

export function readGoldens(): Golden[] {
  const text = readFileSync(join(__dirname, 'contrastive.golden.json'), 'utf8');
  return (JSON.parse(text) as { cases: Golden[] }).cases;
}

export function goldenInputs(golden: Golden): Pair & { labels?: Int32Array } {
  const { rows, keys, labelSeed } = golden;
  const labels = labelSeed === null ? undefined : makeLabels(rows, keys, labelSeed);
  return { ...makePair({ ...golden, labels }), labels };
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
