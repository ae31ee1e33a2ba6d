/**
 * The options of a step's loss, checked against the towers of the step: which towers are trained, and which
 * options would ask for results that a step does not return.
 *
 * Refuses what the loss functions refuse, by their own checks. Reads no features.
 */

import { requireBackend, resolveBackend } from '../backend';
import { codedError } from '../errors';
import { type ProcessGroup, resolveGroup } from '../group/process-group';
import { optionNames, rulesOf } from '../loss/objectives';
import type { AnyContrastiveOptions, WantedKeyGradients } from '../loss/options';
import { readOptions } from '../loss/resolve';
import { isDeviceMatrix } from '../matrix/device-matrix';
import { readNames } from '../read-names';
import * as check from '../validate';
import { estimateOf, type LossEstimate } from './expected-loss';
import { matryoshkaLoss } from './matryoshka';
import type { Prefix } from './matryoshka-options';
import { type OwnLoss, ownLoss } from './own-loss';
import { lossByOptions, type StepLoss, type TrainedTowers } from './step-loss';
import type { CheckedHardNegatives, CheckedTower, PerTower, TowerName } from './tower';

/** The towers of a step before it is known which of them are trained. */
export interface GivenTowers extends PerTower<CheckedTower<unknown>> {
  queries: CheckedTower<unknown>;
  hardNegatives: CheckedHardNegatives<unknown> | null;
}

/** The loss of a step after its checks. */
export interface CheckedLoss {
  run: StepLoss;
  trained: TrainedTowers;
  /** How long it is going to take; a loss of the caller's own cannot tell. */
  estimate: LossEstimate;
  /** The group of the step or of the loss. */
  group: ProcessGroup | undefined;
  /** The signal that the caller gave with the loss. */
  signal: AbortSignal | undefined;
  /** The last check, as it loads the native addon. Throws ERR_BACKEND_UNAVAILABLE or ERR_DEVICE. */
  requireBackend: () => void;
}

/**
 * A loss of the caller's own, which knows its options itself. Throws ERR_ENCODER.
 *
 * @param group The option of the step.
 */
export function checkOwnLoss(given: OwnLoss, towers: GivenTowers, group: unknown): CheckedLoss {
  resolveGroup(group);
  if (towers.hardNegatives?.ids !== undefined) {
    throw codedError(
      'ERR_VALUE',
      'Expected no options.hardNegatives.ids beside a loss of your own, which the step cannot tell of them: use the ids ' +
        'in that loss',
    );
  }
  const trained = trainedTowers(towers);
  const offsets = towers.hardNegatives?.offsets;
  const ofStep = group as ProcessGroup | undefined;
  const run = ownLoss(given, trained, { offsets, group: ofStep });
  const unknown = { estimate: () => undefined, signal: undefined, requireBackend: () => {} };
  return { run, trained, group: ofStep, ...unknown };
}

/**
 * The loss that `options.loss` describes by options. Throws as its parts.
 *
 * @param prefixes Of the option `matryoshka`.
 * @param group The option of the step. `options.loss` may have it too.
 */
export function checkLossByOptions(
  given: unknown,
  towers: GivenTowers,
  prefixes: readonly Prefix[] | undefined,
  group: unknown,
): CheckedLoss {
  const options = checkLossOptions(given, towers, group);
  if (towers.keys === null) requireOneTowerLoss(options);
  const trained = trainedTowers(towers, options.grad);
  refuseUnusedOutputs(options, trained);
  const loss = { options, trained, hardNegatives: towers.hardNegatives };
  return {
    run: prefixes === undefined ? lossByOptions(loss) : matryoshkaLoss(loss, prefixes),
    trained,
    estimate: estimateOf(loss, prefixes),
    group: options.group,
    signal: options.signal,
    requireBackend: () => requireBackend(resolveBackend(options)),
  };
}

/**
 * A snapshot of `options.loss`. Throws the errors of the loss's own checks, and ERR_VALUE, ERR_TYPE or
 * ERR_NOT_IMPLEMENTED for options that a step cannot honour.
 */
function checkLossOptions(
  given: unknown,
  { hardNegatives }: GivenTowers,
  groupOfStep: unknown,
): AnyContrastiveOptions {
  const object = given === undefined ? {} : check.plainObject('options.loss', given);
  const { group: groupOfLoss, ...others } = readNames('options', object, optionNames);
  const named = { ...others, group: oneGroup(groupOfStep, groupOfLoss) } as AnyContrastiveOptions;
  if (hardNegatives !== null && named.hardNegatives !== undefined) {
    throw codedError(
      'ERR_VALUE',
      'Expected options.hardNegatives or options.loss.hardNegatives, not both: the first is a tower, the second ' +
        'are constant features',
    );
  }
  const options = readOptions(
    hardNegatives === null ? named : { ...named, hardNegatives: standIn(hardNegatives) },
    true,
    true,
  );
  const loss = { ...options, hardNegatives: hardNegatives === null ? options.hardNegatives : undefined };
  refuseLostResults(loss);
  refuseDeviceFeatures(loss);
  return loss;
}

/** The group of the step or of its loss: a step is one piece of work of its ranks. */
function oneGroup(ofStep: unknown, ofLoss: unknown): unknown {
  if (ofStep === undefined || ofLoss === undefined || ofStep === ofLoss) return ofStep ?? ofLoss;
  throw codedError(
    'ERR_VALUE',
    'Expected options.group or options.loss.group, not both: the whole step belongs to one group',
  );
}

function requireOneTowerLoss({ objective }: AnyContrastiveOptions): void {
  if (objective !== undefined && rulesOf(objective).allowsNoKeys) return;
  throw check.invalid(
    'ERR_TYPE',
    'options.keys',
    'object',
    undefined,
    "; only objective 'supcon' and a loss of your own take one tower",
  );
}

/** Features in place of those that the tower will encode: some checks ask only whether there are any. */
const standIn = ({ perQuery, offsets, ids }: CheckedHardNegatives<unknown>) => ({
  keys: { data: new Float32Array(1), shape: [1, 1] },
  perQuery,
  offsets,
  ids,
});

/** Refuses options for results that a loss function returns and a step does not. */
function refuseLostResults({ perRow, hardNegatives, grad }: AnyContrastiveOptions): void {
  if (perRow) {
    throw codedError(
      'ERR_NOT_IMPLEMENTED',
      'options.loss.perRow is not in this version of chunkedStep: leave it out, and call contrastiveLoss with ' +
        'perRow on features that you encode yourself',
    );
  }
  if (hardNegatives !== undefined && grad?.hardNegatives !== false) {
    throw codedError(
      'ERR_VALUE',
      'Expected options.loss.grad.hardNegatives to be false, as options.loss.hardNegatives are constant features: ' +
        'to train negatives, give a tower for them, options.hardNegatives',
    );
  }
}

/** Refuses features on a device: towers are on the host, and all matrices of a call are in one place. */
function refuseDeviceFeatures({ hardNegatives }: AnyContrastiveOptions): void {
  if (!isDeviceMatrix(hardNegatives?.keys)) return;
  throw codedError(
    'ERR_TYPE',
    'Expected options.loss.hardNegatives.keys on the host, as the towers are, but received a DeviceMatrix: ' +
      'await its toHost()',
  );
}

/**
 * Which towers get gradients: those with a backward method, unless `grad` turns them off. Throws ERR_ENCODER
 * where no tower is left, and for a gradient that no backward method can take.
 */
function trainedTowers(towers: GivenTowers, grad: AnyContrastiveOptions['grad'] = {}): TrainedTowers {
  const trained = {
    queries: isTrained('queries', towers.queries, grad.queries),
    keys: isTrained('keys', towers.keys, grad.keys),
    hardNegatives: isTrained('hardNegatives', towers.hardNegatives, grad.hardNegatives),
  };
  if (trained.queries || trained.keys || trained.hardNegatives) return trained;
  throw codedError(
    'ERR_ENCODER',
    'Expected a tower to train but all are frozen (no backward method, or loss.grad turned off): for a loss without ' +
      'gradients, call contrastiveLoss on what encodeFeatures(tower) returns',
  );
}

function isTrained(
  name: TowerName,
  tower: CheckedTower<unknown> | null,
  wanted: WantedKeyGradients | undefined,
): boolean {
  const where = `options.loss.grad.${name}`;
  if (typeof wanted === 'object') {
    throw check.invalid(
      'ERR_ENCODER',
      where,
      'boolean',
      wanted,
      '; to leave rows without gradient, return from backward at once for the chunks that hold them',
    );
  }
  const canTrain = tower?.encoder.backward !== undefined;
  if (wanted === true && !canTrain) {
    const missing =
      tower === null ? `a tower options.${name}` : `a backward method on options.${name}.encoder`;
    throw codedError('ERR_ENCODER', `Expected ${missing}, as ${where} is true, but received none`);
  }
  return wanted !== false && canTrain;
}

/** Refuses outputs of a tower that has no gradient. */
function refuseUnusedOutputs({ out }: AnyContrastiveOptions, trained: TrainedTowers): void {
  const unused = [
    { given: out?.queryGrads, output: 'queryGrads', tower: 'queries' },
    { given: out?.keyGrads, output: 'keyGrads', tower: 'keys' },
    { given: out?.hardNegativeGrads, output: 'hardNegativeGrads', tower: 'hardNegatives' },
  ] as const;
  for (const { given, output, tower } of unused) {
    if (given === undefined) continue;
    check.float32Array(`options.loss.out.${output}`, given);
    if (!trained[tower]) {
      throw codedError(
        'ERR_VALUE',
        `Expected no options.loss.out.${output}, as this step trains no ${tower} tower, but received some`,
      );
    }
  }
}
