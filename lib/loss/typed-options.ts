/**
 * The options of a call by objective, derived from the table of objectives. An option that the objective
 * refuses does not compile. A missing option that it requires does not compile either.
 *
 * Types only. `resolve.ts` makes the same checks for every caller, whatever the compiler allowed.
 */

import type { objectives } from './objectives';
import type {
  AnyContrastiveOptions,
  CommonOptions,
  DirectionName,
  HardNegatives,
  KeyLists,
  Objective,
  ObjectiveOption,
  ObjectiveOptions,
  WantedGradients,
  WantedKeyGradients,
} from './options';

type TakenBy<O extends Objective> = (typeof objectives)[O]['takes'][number];
type RequiredBy<O extends Objective> = (typeof objectives)[O]['requires'][number];

/** The forms of `labels` by objective. */
interface Labels {
  clip: KeyLists;
  infonce: Int32Array | KeyLists;
  supcon: Int32Array;
}
type WithLabels<O extends Objective, Options> = {
  [Name in keyof Options]: Name extends 'labels'
    ? (O extends keyof Labels ? Labels[O] : never) | Extract<Options[Name], undefined>
    : Options[Name];
};

/**
 * All options of one objective but `objective` itself. An option that it refuses may be undefined, as at
 * run time.
 */
type OptionsOf<O extends Objective> = CommonOptions &
  WithLabels<O, Pick<ObjectiveOptions, Exclude<TakenBy<O>, RequiredBy<O>>>> &
  WithLabels<O, Required<Pick<ObjectiveOptions, RequiredBy<O>>>> & {
    [Name in Exclude<ObjectiveOption, TakenBy<O>>]?: undefined;
  };

/** The mean of both directions' cross-entropies (CLIP): as many keys as queries. The default objective. */
export interface ClipOptions extends OptionsOf<'clip'> {
  objective?: 'clip' | undefined;
}

/** Queries to keys only (InfoNCE): keys may be more than queries. */
export interface InfonceOptions extends OptionsOf<'infonce'> {
  objective: 'infonce';
}

/** With `directions` the default objective is 'infonce'. */
export interface DirectionsOptions extends OptionsOf<'infonce'> {
  objective?: undefined;
  directions: readonly DirectionName[];
}

/** Queries and keys are two views, each also negative to its own side (SimCLR). */
export interface NtxentOptions extends OptionsOf<'ntxent'> {
  objective: 'ntxent';
}

/** Supervised contrastive: rows of equal `labels` are positives. The keys may be null. */
export interface SupconOptions extends OptionsOf<'supcon'> {
  objective: 'supcon';
}

/** A sigmoid per pair (SigLIP), summed and divided by the number of queries. */
export interface SiglipOptions extends OptionsOf<'siglip'> {
  objective: 'siglip';
}

/** The options of each objective. An objective without options does not compile. */
interface OptionsByObjective {
  clip: ClipOptions;
  infonce: InfonceOptions;
  ntxent: NtxentOptions;
  supcon: SupconOptions;
  siglip: SiglipOptions;
}

/** Options of any one objective. */
export type ContrastiveOptions = OptionsByObjective[Objective] | DirectionsOptions;

/**
 * Whether the program chooses among several objectives. True for `any`, which stands for all objectives where
 * TypeScript compares functions.
 */
type IsUnion<T, Whole = T> = unknown extends T
  ? true
  : T extends unknown
    ? [Whole] extends [T]
      ? false
      : true
    : never;

/**
 * The options of a call whose `objective` is of type `O`. Where the compiler knows the objective, its options
 * alone. Where the program chooses among several objectives, options of any of them.
 */
export type OptionsFor<O extends Objective> = (
  | ContrastiveOptions
  | (true extends IsUnion<O> ? AnyContrastiveOptions : never)
) & { objective?: O | undefined };

/** Asks for the results of each query. */
export interface AskForRows {
  perRow: true;
}

/**
 * Asks for the gradient of the hard negatives. It comes with the gradient of the keys unless `grad`
 * says otherwise.
 */
export interface AskForHardNegativeGrads {
  hardNegatives: HardNegatives;
  grad?:
    | (WantedGradients & { hardNegatives: true })
    | (WantedGradients & { keys?: Exclude<WantedKeyGradients, false> | undefined; hardNegatives?: undefined })
    | undefined;
}
