/**
 * The options of one step, read once and checked before anything is encoded, so that a mistake costs no work.
 *
 * Refuses unknown names, values of the wrong type, and loss options whose result a step would drop.
 */

import { requireBackend, resolveBackend } from '../backend';
import { codedError } from '../errors';
import { optionNames } from '../loss/objectives';
import type { AnyContrastiveOptions, Objective, WantedKeyGradients } from '../loss/options';
import { readOptions } from '../loss/resolve';
import type { OptionsFor } from '../loss/typed-options';
import { isDeviceMatrix } from '../matrix/device-matrix';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { StepProgress } from './step-context';
import { type CheckedTower, checkTower, type Tower, type TowerName } from './tower';

/** `O` is the objective of the loss, or the union of objectives among which the program chooses. */
export interface ChunkedStepOptions<Query, Key, O extends Objective = Objective> {
  queries: Tower<Query>;
  keys: Tower<Key>;
  /**
   * Options of the loss. `grad` can only freeze a whole tower. `hardNegatives` are constant features, and
   * need `grad: { hardNegatives: false }`. `perRow` is refused.
   */
  loss?: OptionsFor<O> | undefined;
  /** Polled between chunks and inside the loss; the step rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * An error that it throws ends the step, which rejects with the error. So does the rejection of a promise
   * that it returns. The step settles after such promises.
   */
  onProgress?: ((progress: StepProgress) => unknown) | undefined;
}

/** A tower of the step, and whether the step pushes gradients through it. */
export interface StepTower<Input> extends CheckedTower<Input> {
  trained: boolean;
}

export interface CheckedStep<Query, Key> {
  queries: StepTower<Query>;
  keys: StepTower<Key>;
  /** The caller's options, except `grad`, which says which towers are trained. */
  loss: AnyContrastiveOptions;
  signal: AbortSignal | undefined;
  onProgress: ((progress: StepProgress) => unknown) | undefined;
}

const stepNames = ['queries', 'keys', 'loss', 'signal', 'onProgress'] as const;

/**
 * Checks all options of a step. Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_ENCODER, ERR_CHUNKS or
 * ERR_NOT_IMPLEMENTED, and the errors of the loss's own checks.
 */
export function checkStep<Query, Key>(options: unknown): CheckedStep<Query, Key> {
  refuseMisplaced(check.plainObject('options', options));
  const given = readNames('options', options, stepNames, ['hardNegatives']);
  const queries = checkTower<Query>('queries', given.queries);
  const keys = checkTower<Key>('keys', given.keys);
  const loss = readOptions(
    given.loss === undefined ? undefined : check.plainObject('options.loss', given.loss),
  );
  refuseLostResults(loss);
  const trained = {
    queries: isTrained(queries, loss.grad?.queries),
    keys: isTrained(keys, loss.grad?.keys),
  };
  if (!trained.queries && !trained.keys) {
    throw codedError(
      'ERR_ENCODER',
      'Expected a tower to train but both are frozen (no backward method, or loss.grad turned off): use contrastiveLoss',
    );
  }
  refuseUnusedOutputs(loss, trained);
  refuseDeviceFeatures(loss);
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  const onProgress: CheckedStep<Query, Key>['onProgress'] =
    given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress);
  const one = oneSignal(signal, loss.signal);
  // last: this check loads the native addon
  requireBackend(resolveBackend(loss));
  return {
    queries: { ...queries, trained: trained.queries },
    keys: { ...keys, trained: trained.keys },
    loss: { ...loss, grad: { ...trained, ...(loss.hardNegatives && { hardNegatives: false }) } },
    signal: one,
    onProgress,
  };
}

/**
 * Refuses options of the loss beside `loss`. This mistake is likely, so the message says where they belong.
 */
function refuseMisplaced(given: Record<string, unknown>): void {
  const belongInLoss = optionNames.filter((name) => !['hardNegatives', ...stepNames].includes(name));
  const misplaced = belongInLoss.find((name) => Object.hasOwn(given, name) && given[name] !== undefined);
  if (misplaced === undefined) return;
  throw codedError(
    'ERR_OPTION',
    `Unknown name ${misplaced} in options; it belongs in options.loss: { loss: { ${misplaced} } }`,
  );
}

/** Refuses options for results that a loss function returns and a step does not. */
function refuseLostResults({ perRow, hardNegatives, grad, out }: AnyContrastiveOptions): void {
  if (perRow) {
    throw codedError(
      'ERR_NOT_IMPLEMENTED',
      'options.loss.perRow is not in this version of chunkedStep: leave it out, and call contrastiveLoss with ' +
        'perRow on features that you encode yourself',
    );
  }
  if (grad?.hardNegatives || out?.hardNegativeGrads || (hardNegatives && grad?.hardNegatives !== false)) {
    throw codedError(
      'ERR_NOT_IMPLEMENTED',
      'A gradient of options.loss.hardNegatives is not in this version of chunkedStep. To train negatives, yield ' +
        "them as further chunks of the keys tower, with loss.objective 'infonce'. To use constant ones, set " +
        'loss.grad.hardNegatives to false',
    );
  }
}

function isTrained(
  { name, encoder }: CheckedTower<unknown>,
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
  if (wanted === true && encoder.backward === undefined) {
    throw codedError(
      'ERR_ENCODER',
      `Expected a backward method on options.${name}.encoder, as ${where} is true, but received none`,
    );
  }
  return wanted !== false && encoder.backward !== undefined;
}

/** Refuses outputs of a frozen tower, which has no gradient. */
function refuseUnusedOutputs({ out }: AnyContrastiveOptions, trained: Record<TowerName, boolean>): void {
  const unused = [
    { given: out?.queryGrads, output: 'queryGrads', tower: 'queries' },
    { given: out?.keyGrads, output: 'keyGrads', tower: 'keys' },
  ] as const;
  for (const { given, output, tower } of unused) {
    if (given === undefined) continue;
    check.float32Array(`options.loss.out.${output}`, given);
    if (!trained[tower]) {
      throw codedError(
        'ERR_VALUE',
        `Expected no options.loss.out.${output}, as the ${tower} tower is frozen, but received some`,
      );
    }
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
