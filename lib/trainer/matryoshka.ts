/**
 * The sum of a loss over prefixes of the features, on one encode. Each prefix becomes rows of length 1, on which
 * the loss runs. The gradient goes through that division into one matrix of gradients for all prefixes.
 *
 * Refuses prefixes longer than the features.
 */

import { codedError } from '../errors';
import type { Stats } from '../loss/loss-functions';
import { allocate } from '../matrix/allocate';
import type { PackedOf } from '../matrix/convert';
import type { MatrixLike } from '../matrix/host-matrix';
import { normalizeRows, normalizeRowsGrad } from '../matrix/normalize-rows';
import { throwIfAborted } from '../on-abort';
import type { Prefix } from './matryoshka-options';
import { gradNames, refuseOverlap, requireGrads } from './step-grads';
import {
  callLoss,
  type LossByOptions,
  type LossContext,
  type LossFeatures,
  type LossOutcome,
  type StepLoss,
} from './step-loss';
import { type PerTower, towerNames } from './tower';

/** What the loss on one prefix gave, before its weight. */
export interface PrefixResult extends Prefix {
  loss: number;
  accuracy: number;
}

/** The features of one tower at one prefix: rows of length 1, and the lengths by which they were divided. */
interface PrefixRows {
  features: MatrixLike;
  /** Null for the whole rows, which have length 1 already. */
  lengths: Float64Array | null;
}

/** @param prefixes Those of the step, the longest first. */
export const matryoshkaLoss =
  (loss: LossByOptions, prefixes: readonly Prefix[]): StepLoss =>
  async (features, context) => {
    requireWidth(features, prefixes[0]!.dim);
    const sum = new PrefixSum(loss, features);
    const work = prefixes.reduce((total, { dim }) => total + dim, 0);
    let before = 0;
    for (const prefix of prefixes) {
      throwIfAborted(context.signal);
      const begin = before;
      const report = (fraction: number) => context.report((begin + fraction * prefix.dim) / work);
      await sum.add(prefix, { ...context, report });
      before += prefix.dim;
    }
    return sum.outcome();
  };

function requireWidth({ queries }: LossFeatures, longest: number): void {
  const width = queries.shape![1]!;
  if (longest <= width) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected options.matryoshka.dims up to ${width}, the width of the features, but received ${longest}`,
  );
}

class PrefixSum {
  private readonly grads: PerTower<Float32Array>;
  private readonly results: PrefixResult[] = [];
  private readonly stats: Stats[] = [];
  private loss = 0;
  private logitScaleGrad = 0;
  private logitBiasGrad = 0;
  private scratchBytes = 0;

  constructor(
    private readonly by: LossByOptions,
    private readonly features: LossFeatures,
  ) {
    this.grads = eachTower((name) => {
      const { [name]: matrix } = features;
      if (matrix === null || !by.trained[name]) return null;
      const shape = matrix.shape as readonly [number, number];
      const given = by.options.out?.[gradNames[name]];
      if (given !== undefined) return requireGrads(`options.loss.out.${gradNames[name]}`, given, shape);
      const elements = shape[0] * shape[1];
      return allocate(`the gradients of ${name}`, 4 * elements, () => new Float32Array(elements));
    });
    refuseOverlap('options.loss.out', this.grads, features);
    // the caller's array may hold gradients of an earlier step
    for (const name of towerNames) this.grads[name]?.fill(0);
  }

  async add({ dim, weight }: Prefix, context: LossContext): Promise<void> {
    const prefixes = eachTower((name) => {
      const { [name]: matrix } = this.features;
      return matrix && prefixOf(matrix, dim);
    });
    const matrices = eachTower((name) => prefixes[name]?.features ?? null) as LossFeatures;
    const { grads, result, scratchBytes } = await callLoss(this.by, matrices, context, {});
    this.addGrads(grads, prefixes, weight);
    const { loss, accuracy, logitScaleGrad, logitBiasGrad, stats } = result as unknown as PrefixResult & {
      logitScaleGrad: number;
      logitBiasGrad: number;
      stats: Stats;
    };
    this.loss += weight * loss;
    this.logitScaleGrad += weight * logitScaleGrad;
    this.logitBiasGrad += weight * logitBiasGrad;
    this.results.push({ dim, weight, loss, accuracy });
    this.stats.push(stats);
    const copies = eachTower((name) =>
      prefixes[name]?.lengths ? (prefixes[name].features.data as Float32Array) : null,
    );
    this.scratchBytes = Math.max(this.scratchBytes, scratchBytes + bytesOf(grads) + bytesOf(copies));
  }

  outcome(): LossOutcome {
    const { loss, logitScaleGrad, logitBiasGrad, results, stats } = this;
    const numbers = { loss, accuracy: results[0]!.accuracy, logitScaleGrad, logitBiasGrad };
    return {
      grads: this.grads,
      result: { ...numbers, stats: sumOfStats(stats), prefixes: results },
      scratchBytes: this.scratchBytes,
    };
  }

  /** Adds weight · dLoss/dFeatures of a prefix to the first columns of the gradients. */
  private addGrads(grads: PerTower<Float32Array>, prefixes: PerTower<PrefixRows>, weight: number): void {
    const width = this.features.queries.shape![1]!;
    for (const name of towerNames) {
      const [into, from, prefix] = [this.grads[name], grads[name], prefixes[name]];
      if (into === null || from === null || prefix === null) continue;
      const [rows, dim] = prefix.features.shape as readonly [number, number];
      const { features, lengths } = prefix;
      if (lengths !== null) {
        normalizeRowsGrad({ features: features as PackedOf<'float32'>, lengths }, from, { inPlace: true });
      }
      for (let row = 0; row < rows; row++) {
        for (let d = 0; d < dim; d++) into[row * width + d]! += weight * from[row * dim + d]!;
      }
    }
  }
}

/** The first `dim` numbers of each row, of length 1. A prefix of zeros stays zeros. */
function prefixOf(matrix: MatrixLike, dim: number): PrefixRows {
  const { data, shape, dtype } = matrix;
  const [rows, width] = shape as readonly [number, number];
  if (dim === width) return { features: matrix, lengths: null };
  return normalizeRows({ data, shape: [rows, dim], dtype, rowStride: width });
}

function eachTower<T>(make: (name: (typeof towerNames)[number]) => T | null): PerTower<T> {
  return { queries: make('queries'), keys: make('keys'), hardNegatives: make('hardNegatives') };
}

const bytesOf = (arrays: PerTower<Float32Array>) =>
  towerNames.reduce((bytes, name) => bytes + (arrays[name]?.byteLength ?? 0), 0);

/** Times and work add up; sizes are those of the largest call. Timelines of ranks follow each other. */
function sumOfStats(stats: readonly Stats[]): Stats {
  const sum = { ...stats[0]! };
  if (sum.ring) sum.ring = stats.flatMap(({ ring }) => ring ?? []);
  for (const one of stats.slice(1)) {
    for (const name of ['flops', 'seconds', 'forwardSeconds', 'backwardSeconds'] as const)
      sum[name] += one[name];
    for (const name of ['tiles', 'tilesReused', 'tilesSkipped', 'maskedPairs'] as const)
      sum[name] += one[name];
    for (const name of ['workspaceBytes', 'peakBytes', 'slabs', 'threads'] as const)
      sum[name] = Math.max(sum[name], one[name]);
  }
  return sum;
}
