/**
 * The options of one step, read once and checked before anything is encoded, so that a mistake costs no work.
 *
 * Refuses unknown names and values of the wrong type. `loss-checks.ts` checks the loss.
 */

import { codedError } from '../errors';
import type { ProcessGroup } from '../group/process-group';
import { optionNames } from '../loss/objectives';
import type { HardNegativeRows, Objective } from '../loss/options';
import type { OptionsFor, SupconOptions } from '../loss/typed-options';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { LossEstimate } from './expected-loss';
import { type CheckedLoss, checkLossByOptions, checkOwnLoss, type GivenTowers } from './loss-checks';
import { type Matryoshka, readMatryoshka } from './matryoshka-options';
import type { OwnLoss, OwnLossResult, StepFeatures } from './own-loss';
import type { StepProgress } from './step-context';
import type { StepLoss } from './step-loss';
import {
  type CheckedTower,
  checkHardNegatives,
  checkTower,
  type HardNegativesTower,
  type Tower,
  towerNames,
} from './tower';

/** What every step takes, whatever its loss. */
export interface CommonStepOptions<Query, Hard> {
  queries: Tower<Query>;
  /**
   * A tower for negatives of each query alone: `perQuery` rows of each, or ragged rows by `offsets`. It is chunked and
   * trained as the other towers. Objectives 'clip' and 'infonce'.
   */
  hardNegatives?: HardNegativesTower<Hard> | undefined;
  /**
   * Whether the step divides each row of features by its length, for the towers that do not say so themselves.
   * Gradients go through that division to the encoders. Default false.
   */
  normalize?: boolean | undefined;
  /**
   * Multiplies the feature gradients before they go to the encoders, such as 1 / k where k steps are added up.
   * The result of the step is not multiplied. A finite number, default 1.
   */
  gradScale?: number | undefined;
  /**
   * The towers encode the part of one rank of the batch. The loss and the gradients are those of the batch of all
   * ranks; the parameter gradients of all ranks add up to those of the whole. An error on one rank ends the step on all.
   * Until the step settles, make no other call of the group. docs/training-on-ranks.md says how. May stand in `loss` too.
   */
  group?: ProcessGroup | undefined;
  /** Polled between chunks and inside the loss; the step rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * An error that it throws ends the step, which rejects with the error. So does the rejection of a promise
   * that it returns. The step settles after such promises.
   */
  onProgress?: ((progress: StepProgress) => unknown) | undefined;
}

/** `O` is the objective of the loss, or the union of objectives among which the program chooses. */
export interface ChunkedStepOptions<Query, Key, O extends Objective = Objective, Hard = Key>
  extends CommonStepOptions<Query, Hard> {
  keys: Tower<Key>;
  /**
   * Options of the loss. `grad` can only freeze a whole tower. `hardNegatives` in it are constant features,
   * and need `grad: { hardNegatives: false }`. `perRow` is refused.
   */
  loss?: OptionsFor<O> | undefined;
  /** Sums the loss over prefixes of the features. Every tower must be normalised. Not with a loss of one's own. */
  matryoshka?: Matryoshka | undefined;
}

/** A step whose rows of one tower are compared with each other: objective 'supcon'. */
export interface SupconStepOptions<Query> extends CommonStepOptions<Query, never> {
  keys?: null | undefined;
  hardNegatives?: undefined;
  loss: SupconOptions;
  matryoshka?: Matryoshka | undefined;
}

/** A step with a loss of the caller's own. */
export interface OwnLossStepOptions<Query, Key, R extends OwnLossResult = OwnLossResult, Hard = Key>
  extends CommonStepOptions<Query, Hard> {
  keys: Tower<Key>;
  /** Called once, with the features of all towers. Its errors end the step. */
  loss: OwnLoss<R, StepFeatures>;
}

/** The same without a tower of keys. */
export interface OneTowerStepOptions<Query, R extends OwnLossResult = OwnLossResult, Hard = Query>
  extends CommonStepOptions<Query, Hard> {
  keys?: null | undefined;
  loss: OwnLoss<R, null>;
}

/** A tower of the step, and whether the step pushes gradients through it. */
export interface StepTower<Input> extends CheckedTower<Input> {
  trained: boolean;
}

export interface CheckedStep {
  gradScale: number;
  /** Those that there are, in the order in which they are encoded. */
  towers: StepTower<unknown>[];
  /** The rows of each query, with a tower of hard negatives. */
  hardNegativeRows: HardNegativeRows | undefined;
  loss: StepLoss;
  estimateLoss: LossEstimate;
  group: ProcessGroup | undefined;
  signal: AbortSignal | undefined;
  onProgress: ((progress: StepProgress) => unknown) | undefined;
}

const stepNames = [
  ...towerNames,
  ...(['loss', 'normalize', 'matryoshka', 'gradScale', 'group', 'signal', 'onProgress'] as const),
] as const;

/**
 * Checks all options of a step. Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_ENCODER, ERR_CHUNKS, ERR_DISPOSED or
 * ERR_NOT_IMPLEMENTED, and the errors of the loss's own checks.
 */
export function checkStep(options: unknown): CheckedStep {
  refuseMisplaced(check.plainObject('options', options));
  const given = readNames('options', options, stepNames);
  const towers = readTowers(given);
  const loss = readLoss(given, towers);
  const gradScale =
    given.gradScale === undefined ? 1 : check.finiteNumber('options.gradScale', given.gradScale);
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  const onProgress: CheckedStep['onProgress'] =
    given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress);
  const one = oneSignal(signal, loss.signal);
  loss.requireBackend();
  return {
    gradScale,
    towers: towerNames.flatMap((name) => {
      const tower = towers[name];
      return tower === null ? [] : [{ ...tower, trained: loss.trained[name] }];
    }),
    hardNegativeRows: towers.hardNegatives ?? undefined,
    loss: loss.run,
    estimateLoss: loss.estimate,
    group: loss.group,
    signal: one,
    onProgress,
  };
}

type Given = Record<(typeof stepNames)[number], unknown>;

/** The towers, each of which knows whether the step normalises its rows. */
function readTowers(given: Given): GivenTowers {
  const { queries, keys, hardNegatives, normalize } = given;
  const everywhere = normalize !== undefined && check.boolean('options.normalize', normalize);
  return {
    queries: checkTower('queries', queries, everywhere),
    keys: keys === undefined || keys === null ? null : checkTower('keys', keys, everywhere),
    hardNegatives: hardNegatives === undefined ? null : checkHardNegatives(hardNegatives, everywhere),
  };
}

function readLoss({ loss, matryoshka, group }: Given, towers: GivenTowers): CheckedLoss {
  if (typeof loss !== 'function') {
    const prefixes = matryoshka === undefined ? undefined : readMatryoshka(matryoshka);
    if (prefixes !== undefined) requireUnitRows(towers);
    return checkLossByOptions(loss, towers, prefixes, group);
  }
  if (matryoshka !== undefined) {
    throw codedError(
      'ERR_VALUE',
      'Expected no options.matryoshka beside a loss of your own but received some: cut the features in that loss',
    );
  }
  return checkOwnLoss(loss as OwnLoss, towers, group);
}

/** Prefixes of rows of length 1 are what a model is used with later. */
function requireUnitRows(towers: GivenTowers): void {
  const raw = towerNames.find((name) => towers[name]?.normalize === false);
  if (raw === undefined) return;
  throw codedError(
    'ERR_VALUE',
    `Expected options.normalize: true beside options.matryoshka, whose prefixes have length 1, but ${raw} is not ` +
      'normalised',
  );
}

/**
 * Refuses options of the loss beside `loss`. This mistake is likely, so the message says where they belong.
 */
function refuseMisplaced(given: Record<string, unknown>): void {
  const belongInLoss = optionNames.filter((name) => !(stepNames as readonly string[]).includes(name));
  const misplaced = belongInLoss.find((name) => Object.hasOwn(given, name) && given[name] !== undefined);
  if (misplaced === undefined) return;
  throw codedError(
    'ERR_OPTION',
    `Unknown name ${misplaced} in options; it belongs in options.loss: { loss: { ${misplaced} } }`,
  );
}

/**
 * The signal of the step or of the loss; each stops the whole step. Refuses two different signals, which
 * would need a third one that listens to both.
 */
function oneSignal(
  ofStep: AbortSignal | undefined,
  ofLoss: AbortSignal | undefined,
): AbortSignal | undefined {
  if (ofStep !== undefined && ofLoss !== undefined && ofStep !== ofLoss) {
    throw codedError(
      'ERR_VALUE',
      'Expected options.signal or options.loss.signal, not both: either stops the whole step. ' +
        'AbortSignal.any([...]) makes one of several',
    );
  }
  return ofStep ?? ofLoss;
}
