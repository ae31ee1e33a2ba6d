/**
 * The oracle: contrastive losses and gradients the obvious way, in float64, with every matrix of logits in memory.
 * Every other implementation in this repository is judged against this folder, so it is written to be read beside the
 * equations, and it refuses every trick: no tiles, no online sums, no base 2, no threads.
 *
 * Symbols as in docs/algorithm.md: queries Q [M x D], keys K [N x D], logit scale s, logits x = s u.v, logit gradient
 * g = dL/dx. Which similarities meet in a denominator is decided in anchors.ts. Use it for M*N*D up to about 1e9.
 */
import {
  type Anchor,
  classAnchors,
  Exclusions,
  isListed,
  listedAnchors,
  pairAnchors,
  sigmoidAnchors,
  Tables,
  type Term,
} from './anchors';
import type { DenseOptions } from './dense-options';
import { type DenseMatrix, Rows } from './similarities';

export type { DenseLists, DenseOptions, DirectionName, ObjectiveName } from './dense-options';
export type { DenseMatrix } from './similarities';

// Jest looks a global up in its sandbox each time, which would be most of the oracle's time.
const { abs, exp, floor, log, log1p, max } = Math;

export interface DenseResult {
  loss: number;
  /** Share of queries whose positive no key outranks; NaN where there are no keys. */
  accuracy: number;
  /** [M x D], [N x D] and as the hard negatives, without padding between rows; empty where there are no such rows. */
  queryGrads: Float64Array;
  keyGrads: Float64Array;
  hardNegativeGrads: Float64Array;
  logitScaleGrad: number;
  logitBiasGrad: number;
  rows: {
    loss: Float64Array;
    lse: Float64Array;
    positiveFirst: Uint8Array;
    /** Logit of the best positive key less the largest that ranks against it; infinite when either is missing. */
    margin: Float64Array;
  };
  /** Pairs that ids, margins and a guide took out of all denominators. */
  maskedPairs: number;
  /** Least distance, but for ties, between a similarity and the limit that decides whether it is masked. */
  clearance: number;
  /** Largest |logit|, whose rounding in float32 sets the tolerances, and largest |similarity|. */
  largestLogit: number;
  largestDot: number;
  /** sum |g| and sum |g (u.v)|: what the gradients of bias and scale are when nothing cancels. */
  magnitudes: { bias: number; scale: number };
}

export function denseLossAndGrad(
  queries: DenseMatrix,
  keys: DenseMatrix | null,
  given: DenseOptions = {},
): DenseResult {
  const objective = given.objective ?? (given.directions ? 'infonce' : 'clip');
  const options = { logitScale: 1 / 0.07, logitBias: objective === 'siglip' ? -10 : 0, ...given, objective };
  const { logitScale, logitBias, hardnessAt: at } = options;
  const offsets = options.hardNegatives?.offsets;
  const tables = makeTables(queries, keys, options.hardNegatives?.keys, offsets);
  const { guide, teacher } = options;
  const taught = teacher ? makeTables(teacher.queries, teacher.keys) : null;
  const guided = guide ? makeTables(guide.queries, guide.keys, guide.hardNegatives, offsets) : null;
  const exclusions = new Exclusions(tables, options, guided);
  const others = at ? makeTables(at.queries, at.keys, at.hardNegatives, offsets) : tables;
  const out = new Totals(tables, logitScale, logitBias);
  if (objective === 'siglip') {
    for (const anchor of sigmoidAnchors(tables, options, exclusions)) out.addSigmoids(anchor);
  } else {
    const make = isListed(options.labels) ? listedAnchors : pairAnchors;
    const supcon = objective === 'supcon';
    const anchors = supcon
      ? classAnchors(tables, options)
      : make(tables, options, exclusions, others, taught);
    for (const anchor of anchors) out.addCrossEntropy(anchor);
  }

  let logitScaleGrad = 0;
  let largestDot = 0;
  const magnitudes = { bias: 0, scale: 0 };
  for (const table of tables.all()) {
    logitScaleGrad += table.differentiate(logitScale);
    table.dots.forEach((dot, at) => {
      largestDot = max(largestDot, abs(dot));
      magnitudes.bias += abs(table.grads[at]);
      magnitudes.scale += abs(table.grads[at] * dot);
    });
  }
  const { loss, logitBiasGrad, rows } = out;
  return {
    loss,
    accuracy: keys === null ? Number.NaN : mean(rows.positiveFirst),
    queryGrads: tables.q.grads,
    keyGrads: tables.k?.grads ?? new Float64Array(0),
    hardNegativeGrads: tables.h?.grads ?? new Float64Array(0),
    logitScaleGrad,
    logitBiasGrad,
    rows,
    maskedPairs: exclusions.pairs,
    clearance: exclusions.clearance,
    largestLogit: (logitScale + (options.hardness?.strength ?? 0)) * largestDot + abs(logitBias),
    largestDot,
    magnitudes,
  };
}

function makeTables(
  queries: DenseMatrix,
  keys: DenseMatrix | null,
  hardNegatives?: DenseMatrix,
  offsets?: ArrayLike<number>,
): Tables {
  return new Tables(
    new Rows(queries),
    keys && new Rows(keys),
    hardNegatives ? new Rows(hardNegatives) : null,
    offsets,
  );
}

/** The loss and its logit gradients, summed anchor by anchor. */
class Totals {
  loss = 0;
  logitBiasGrad = 0;
  readonly rows: DenseResult['rows'];

  constructor(
    private readonly tables: Tables,
    private readonly scale: number,
    private readonly bias: number,
  ) {
    const m = tables.q.count;
    this.rows = {
      loss: new Float64Array(m),
      lse: new Float64Array(m).fill(Number.NaN),
      positiveFirst: new Uint8Array(m),
      margin: new Float64Array(m).fill(Number.NEGATIVE_INFINITY),
    };
  }

  /**
   * l = lse_t x_t - sum_t target_t x_t,  dl/dx_t = exp(x_t - lse) - target_t. Targets add up to 1, so all of it can be
   * relative to the largest x: a float64 of 1e30 + log 2 would lose the logarithm.
   */
  addCrossEntropy(anchor: Anchor): void {
    const { weight, terms, query } = anchor;
    const x = terms.map((term) => this.logit(term));
    const largest = x.reduce((most, value) => max(most, value), Number.NEGATIVE_INFINITY);
    const sum = x.reduce((total, value) => total + exp(value - largest), 0);
    if (query !== null && anchor.reported) {
      const { [query]: before } = this.rows.lse;
      const lse = (anchor.share ?? 1) * (largest + log(sum));
      this.rows.lse[query] = Number.isNaN(before) ? lse : before + lse;
      this.rank(query, terms);
    }
    if (anchor.rowWeight === 0) return;
    const below = terms.reduce(
      (rest, { target }, t) => (target === 0 ? rest : rest + target * (largest - x[t])),
      0,
    );
    this.addLoss(anchor, log(sum) + below);
    terms.forEach(({ of, at, target }, t) => {
      of.grads[at] += weight * (exp(x[t] - largest) / sum - target);
    });
  }

  /**
   * Zhai et al. 2023, eq. 1, z = 1 for pairs, -1 for the rest: l = sum_t log(1 + exp(-z_t x_t)), dl/dx_t =
   * sigma(x_t) - [z_t = 1]
   */
  addSigmoids(anchor: Anchor): void {
    let loss = 0;
    for (const term of anchor.terms) {
      const x = this.logit(term);
      loss += softplus(term.positive ? -x : x);
      const g = anchor.weight * (term.positive ? -sigma(-x) : sigma(x));
      term.of.grads[term.at] += g;
      this.logitBiasGrad += g;
    }
    this.addLoss(anchor, loss);
    this.rank(anchor.query!, anchor.terms);
  }

  private addLoss({ weight, query, rowWeight }: Anchor, loss: number): void {
    this.loss += weight * loss;
    if (query !== null) this.rows.loss[query] += rowWeight * loss;
  }

  private logit({ of, at, extra }: Term): number {
    return this.scale * of.dots[at] + this.bias + extra;
  }

  /** The query's best positive among the keys against the other keys and hard negatives that count. */
  private rank(query: number, terms: Term[]): void {
    if (this.tables.k === null) return;
    let positive = Number.NEGATIVE_INFINITY;
    let other = Number.NEGATIVE_INFINITY;
    for (const { of, at, positive: isPositive } of terms) {
      if (of.left === of.right || floor(at / of.columns) !== query) continue;
      if (isPositive) positive = max(positive, of.dots[at]);
      else other = max(other, of.dots[at]);
    }
    // of several anchors of a query, the one with the best positive
    this.rows.margin[query] = max(this.rows.margin[query], this.scale * (positive - other));
    if (positive >= other) this.rows.positiveFirst[query] = 1;
  }
}

/** log(1 + e^x) */
function softplus(x: number): number {
  return max(x, 0) + log1p(exp(-abs(x)));
}

/** 1 / (1 + e^-x) */
function sigma(x: number): number {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
