/**
 * The objectives as data: the options that each takes and requires, its defaults, and its demands on the
 * features. The checks of a call and the types of its options (`typed-options.ts`) both come from this table.
 *
 * Refuses arithmetic: `csrc/core/objective.cpp` has the similarities and normalisers of each objective.
 */

import type { Objective } from '../native/binding';
import type { AnyContrastiveOptions, ObjectiveOption } from './options';

/** The facts about an objective that the checks need. */
interface ObjectiveRules {
  /** Options that it takes, beside the options that every objective takes. */
  takes: readonly ObjectiveOption[];
  /** Options among them that it requires. `resolve-row-terms.ts` has the error message of each. */
  requires: readonly 'labels'[];
  defaults: { logitScale: number; logitBias: number };
  /** Key i is the pair of query i, so there are as many keys as queries. */
  isPaired: boolean;
  /** Keys are compared with keys, and queries with queries: every row is an anchor. */
  isSelfSimilar: boolean;
  /** The keys may be null: the queries alone are a batch. */
  allowsNoKeys: boolean;
  /** `labels` are classes of rows, not indices of keys. */
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

/** Messages list the objectives in this order. */
export const objectives = {
  clip: {
    ...softmaxRules,
    takes: [
      'labels',
      'queryIds',
      'keyIds',
      'excludePairs',
      'falseNegativeMargin',
      'guide',
      'teacher',
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
      'excludePairs',
      'falseNegativeMargin',
      'guide',
      'teacher',
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
    takes: ['logitBias', 'queryIds', 'keyIds', 'excludePairs', 'queryWeights'],
    defaults: { logitScale: 1 / 0.07, logitBias: -10 },
    isPaired: false,
  },
} as const satisfies Record<Objective, ObjectiveRules>;

export const objectiveNames = Object.keys(objectives) as Objective[];

/** The rules of an objective that is known only when the program runs. */
export const rulesOf = (objective: Objective): ObjectiveRules => objectives[objective];

/** An option that no objective takes: a mistake in the table, by which every objective would accept the option. */
type UntakenOption = Exclude<ObjectiveOption, (typeof objectives)[Objective]['takes'][number]>;

/**
 * Each option once, in the order in which messages list them. A missing or unknown name does not compile. Neither
 * does an option of `ObjectiveOptions` that no objective takes.
 */
const isOption: { [Name in keyof AnyContrastiveOptions]-?: Name extends UntakenOption ? never : true } = {
  objective: true,
  logitScale: true,
  logitBias: true,
  labels: true,
  queryIds: true,
  keyIds: true,
  excludePairs: true,
  falseNegativeMargin: true,
  guide: true,
  teacher: true,
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
  group: true,
  signal: true,
  onProgress: true,
};

export const optionNames = Object.keys(isOption) as (keyof AnyContrastiveOptions)[];

const takersOf = (option: string) =>
  objectiveNames.filter((objective) => rulesOf(objective).takes.some((name) => name === option));

/** Each option that some objectives refuse, with the objectives that take it. */
export const takers = optionNames
  .map((option) => [option, takersOf(option)] as const)
  .filter(([, objectives]) => objectives.length > 0);
