/**
 * The objectives as data: which options each takes and requires, its defaults, and what it expects of the features. The
 * checks of a call and the types of its options (`typed-options.ts`) are both made of this table.
 *
 * Refuses arithmetic: passes and normalisers of an objective are in `csrc/core/objective.cpp`.
 */

import type { Objective } from '../native/binding';
import type { AnyContrastiveOptions, ObjectiveOption } from './options';

/** What the checks need to know of an objective. */
interface ObjectiveRules {
  /** Options that it honours, beside those that every objective takes. */
  takes: readonly ObjectiveOption[];
  /** Those of them that it cannot do without. `resolve-row-terms.ts` has the message of each. */
  requires: readonly 'labels'[];
  defaults: { logitScale: number; logitBias: number };
  /** Key i is the pair of query i, so that there are as many keys as queries. */
  isPaired: boolean;
  /** Keys are compared with keys, and queries with queries: each is an anchor. */
  isSelfSimilar: boolean;
  /** The queries alone are a batch. */
  allowsNoKeys: boolean;
  /** `labels` are classes of rows, and not indices of keys. */
  labelsAreClasses: boolean;
}

/** A bias cancels in a softmax. */
const softmaxDefaults = { logitScale: 1 / 0.07, logitBias: 0 };

const softmaxRules = {
  requires: [],
  defaults: softmaxDefaults,
  isPaired: true,
  isSelfSimilar: false,
  allowsNoKeys: false,
  labelsAreClasses: false,
} as const;

/** In this order they are listed in messages. */
export const objectives = {
  clip: {
    ...softmaxRules,
    takes: [
      'queryIds',
      'keyIds',
      'falseNegativeMargin',
      'hardNegatives',
      'labelSmoothing',
      'queryWeights',
      'hardness',
    ],
  },
  infonce: {
    ...softmaxRules,
    takes: [
      'labels',
      'queryIds',
      'keyIds',
      'falseNegativeMargin',
      'hardNegatives',
      'directions',
      'partition',
      'labelSmoothing',
      'queryWeights',
      'hardness',
    ],
    isPaired: false,
  },
  ntxent: {
    ...softmaxRules,
    takes: ['queryIds', 'keyIds', 'falseNegativeMargin', 'labelSmoothing', 'queryWeights', 'hardness'],
    isSelfSimilar: true,
  },
  supcon: {
    ...softmaxRules,
    takes: ['labels'],
    requires: ['labels'],
    isSelfSimilar: true,
    allowsNoKeys: true,
    labelsAreClasses: true,
  },
  siglip: {
    ...softmaxRules,
    takes: ['logitBias', 'queryIds', 'keyIds', 'queryWeights'],
    defaults: { logitScale: 1 / 0.07, logitBias: -10 },
    isPaired: false,
  },
} as const satisfies Record<Objective, ObjectiveRules>;

export const objectiveNames = Object.keys(objectives) as Objective[];

/** The same table for an objective that is known only when the program runs. */
export const rulesOf = (objective: Objective): ObjectiveRules => objectives[objective];

/** Each option once, in the order in which messages list them. A missing or unknown name does not compile. */
const isOption: Record<keyof AnyContrastiveOptions, true> = {
  objective: true,
  logitScale: true,
  logitBias: true,
  labels: true,
  queryIds: true,
  keyIds: true,
  falseNegativeMargin: true,
  hardNegatives: true,
  directions: true,
  partition: true,
  labelSmoothing: true,
  queryWeights: true,
  hardness: true,
  grad: true,
  perRow: true,
  compute: true,
  gradientFilter: true,
  backend: true,
  device: true,
  threads: true,
  workspaceBytes: true,
  out: true,
  signal: true,
  onProgress: true,
};

export const optionNames = Object.keys(isOption) as (keyof AnyContrastiveOptions)[];

const takersOf = (option: string) =>
  objectiveNames.filter((objective) => rulesOf(objective).takes.some((name) => name === option));

/** The options that some objectives refuse, each with those that take it. */
export const takers = optionNames
  .map((option) => [option, takersOf(option)] as const)
  .filter(([, objectives]) => objectives.length > 0);
