/**
 * Several losses on one encode: their weighted sum as a loss of the caller's own.
 *
 * Refuses options that belong to the step or whose result the sum would drop.
 */

import { isArray } from '../describe';
import { codedError, isInfclError } from '../errors';
import { contrastiveLossAndGrad } from '../loss/contrastive-loss';
import type { LossAndGradResult, Stats } from '../loss/loss-functions';
import { optionNames, rulesOf } from '../loss/objectives';
import type { AnyContrastiveOptions, GradientOutputs } from '../loss/options';
import { readOptions } from '../loss/resolve';
import type { ContrastiveOptions } from '../loss/typed-options';
import { readNames } from '../read-names';
import * as check from '../validate';
import { fractionOf, progressAt } from './loss-progress';
import type { OwnLoss, OwnLossContext, OwnLossResult, StepFeatures, StepHardNegatives } from './own-loss';

/** Options that the step decides, or whose results a sum has no place for. */
type NotOfATerm = 'grad' | 'out' | 'perRow' | 'group' | 'signal' | 'onProgress' | 'hardNegatives';

/** One loss of a sum: options of a loss, and its weight. */
export type LossTerm = ContrastiveOptions & { weight?: number | undefined } & {
  [Name in NotOfATerm]?: undefined;
};

/** What one loss of the sum gave, before its weight. */
export interface TermResult {
  weight: number;
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  stats: Stats;
}

export interface SumOfLossesResult extends OwnLossResult {
  /** One for each term, in order. */
  terms: TermResult[];
}

interface CheckedTerm {
  weight: number;
  options: AnyContrastiveOptions;
}

const notOfATerm: Record<NotOfATerm, true> = {
  grad: true,
  out: true,
  perRow: true,
  group: true,
  signal: true,
  onProgress: true,
  hardNegatives: true,
};
const termNames = ['weight', ...optionNames.filter((name) => !Object.hasOwn(notOfATerm, name))] as const;

/**
 * A loss for `chunkedStep`: the sum of weight · loss over the terms, and its gradients. The step encodes once for
 * all terms. Each term is one call of the loss, one after another. One more matrix of gradients for each
 * trained tower lives while the second and later terms run.
 *
 * A term consists of the options of a loss and a `weight`: a finite number, default 1. The towers of the step
 * decide which gradients are computed. Hard negatives of the step go to each term whose objective takes them.
 *
 * Throws, when it is called and not in the step: ERR_TYPE for no array, ERR_VALUE for an empty one, and the errors
 * of the loss functions for options. In the step, the loss throws as the loss functions, and ERR_VALUE where
 * no term takes the hard negatives of the step. Messages name the term by its index: `terms[1].labels`.
 */
export function sumOfLosses(terms: readonly LossTerm[]): OwnLoss<SumOfLossesResult> {
  const checked = readTerms(terms);
  return async (queries, keys, hardNegatives, context) => {
    const matrices = { queries, keys, hardNegatives };
    if (hardNegatives !== null && !checked.some(({ options }) => takesHardNegatives(options))) {
      throw codedError(
        'ERR_VALUE',
        'Expected a term of sumOfLosses that takes hard negatives (objectives clip, infonce) but received none',
      );
    }
    const sum = gradientsFor(matrices, context);
    const scratch = checked.length > 1 ? gradientsFor(matrices, context) : {};
    const results: TermResult[] = [];
    for (const [i, term] of checked.entries()) {
      const out = i === 0 ? sum : scratch;
      const result = await runTerm(term, matrices, context, out, [i, checked.length]);
      addTerm(sum, out, term.weight, takesHardNegatives(term.options));
      const { loss, accuracy, logitScaleGrad, logitBiasGrad, stats } = result;
      results.push({ weight: term.weight, loss, accuracy, logitScaleGrad, logitBiasGrad, stats });
    }
    const workspace = Math.max(...results.map(({ stats }) => stats.workspaceBytes));
    const scratchBytes = Object.values(scratch).reduce((bytes, array) => bytes + array.byteLength, workspace);
    const loss = results.reduce((total, term) => total + term.weight * term.loss, 0);
    return { loss, ...sum, terms: results, scratchBytes };
  };
}

function readTerms(terms: unknown): CheckedTerm[] {
  if (!isArray(terms)) throw check.invalid('ERR_TYPE', 'terms', 'array of { weight, ...options }', terms);
  if (terms.length === 0)
    throw codedError('ERR_VALUE', 'Expected at least one loss in terms but received none');
  return Array.from(terms, (term, i) => {
    const { weight, ...options } = readNames(`terms[${i}]`, term, termNames);
    try {
      return {
        weight: weight === undefined ? 1 : check.finiteNumber(`terms[${i}].weight`, weight),
        options: readOptions(options),
      };
    } catch (error) {
      throw namingTerm(i, error);
    }
  });
}

/** The loss functions know one set of options only: their errors become those of the term. */
function namingTerm(index: number, error: unknown): unknown {
  if (!isInfclError(error) || error.message.includes(`terms[${index}]`)) return error;
  const named = error.message.replaceAll(/\boptions\b(?=[. ])/g, `terms[${index}]`);
  return codedError(error.code, named === error.message ? `terms[${index}]: ${named}` : named, error);
}

const objectiveOf = ({ objective, directions }: AnyContrastiveOptions) =>
  objective ?? (directions === undefined ? 'clip' : 'infonce');

const takesHardNegatives = (options: AnyContrastiveOptions) =>
  rulesOf(objectiveOf(options)).takes.includes('hardNegatives');

interface Matrices {
  queries: StepFeatures;
  keys: StepFeatures | null;
  hardNegatives: StepHardNegatives | null;
}

type Gradients = Partial<Record<keyof GradientOutputs, Float32Array>>;

/** One array of zeros for each tower that has a gradient. */
function gradientsFor({ queries, keys, hardNegatives }: Matrices, { grad }: OwnLossContext): Gradients {
  const zeros = ({ shape: [rows, dim] }: StepFeatures) => new Float32Array(rows * dim);
  return {
    ...(grad.queries && { queryGrads: zeros(queries) }),
    ...(grad.keys && keys && { keyGrads: zeros(keys) }),
    ...(grad.hardNegatives && hardNegatives && { hardNegativeGrads: zeros(hardNegatives) }),
  };
}

/**
 * One term in the step, at `[index, count]`. Errors of `onProgress`, and the reason of the signal, stay as they
 * are.
 */
async function runTerm(
  term: CheckedTerm,
  matrices: Matrices,
  context: OwnLossContext,
  out: Gradients,
  [index, count]: [number, number],
): Promise<LossAndGradResult> {
  let thrown: unknown;
  const onProgress: OwnLossContext['onProgress'] = (done) => {
    try {
      context.onProgress(progressAt((index + fractionOf(done)) / count));
    } catch (error) {
      thrown = error;
      throw error;
    }
  };
  try {
    return await callTerm(term, matrices, { ...context, onProgress }, out);
  } catch (error) {
    throw error === thrown || error === context.signal?.reason ? error : namingTerm(index, error);
  }
}

async function callTerm(
  { options }: CheckedTerm,
  { queries, keys, hardNegatives }: Matrices,
  { signal, grad, group, onProgress }: OwnLossContext,
  { hardNegativeGrads, ...out }: Gradients,
): Promise<LossAndGradResult> {
  const { queries: ofQueries, keys: ofKeys } = grad;
  const common = { ...options, group, signal, onProgress };
  if (hardNegatives === null || !takesHardNegatives(options)) {
    const call: AnyContrastiveOptions = { ...common, grad: { queries: ofQueries, keys: ofKeys }, out };
    return contrastiveLossAndGrad(queries, keys, call);
  }
  const { offsets } = hardNegatives;
  const rows = offsets === undefined ? { perQuery: hardNegatives.shape[0] / queries.shape[0] } : { offsets };
  const call: AnyContrastiveOptions = {
    ...common,
    hardNegatives: { keys: hardNegatives, ...rows },
    grad,
    out: { ...out, hardNegativeGrads },
  };
  return contrastiveLossAndGrad(queries, keys, call);
}

/** Adds weight · term to the sum. The first term lies in the sum itself. */
function addTerm(sum: Gradients, term: Gradients, weight: number, withHardNegatives: boolean): void {
  for (const name of Object.keys(sum) as (keyof Gradients)[]) {
    const [into, from] = [sum[name]!, term[name]!];
    if (into === from) {
      if (weight !== 1) for (let at = 0; at < into.length; at++) into[at]! *= weight;
    } else if (name !== 'hardNegativeGrads' || withHardNegatives) {
      for (let at = 0; at < into.length; at++) into[at]! += weight * from[at]!;
    }
  }
}
