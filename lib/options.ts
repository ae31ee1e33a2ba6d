/**
 * How what a caller asks becomes one native request: names checked, defaults filled in, outputs allocated. All checks
 * that do not need to look at every feature happen here, before native work starts.
 *
 * Refuses names it does not know, combinations that make no sense, and output arrays that overlap anything.
 */

import type { ContrastiveOptions, Progress } from './contrastive-options';
import { resolvePlace, toNativeFeatures } from './device-call';
import { type DeviceMatrix, isDeviceMatrix } from './device-matrix';
import { codedError } from './errors';
import type { Features } from './matrix';
import { type ContrastiveRequest, Control, Direction, type DType, type NativeMatrix } from './native/binding';
import { allocateRows, type Gradients, noOutputs, resolveOutputs } from './outputs';
import { resolveTerms } from './terms';
import * as check from './validate';

const optionNames: readonly (keyof ContrastiveOptions)[] = [
  'objective',
  'logitScale',
  'logitBias',
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
  'grad',
  'perRow',
  'compute',
  'gradientFilter',
  'backend',
  'device',
  'threads',
  'workspaceBytes',
  'out',
  'signal',
  'onProgress',
];

/** Named in the design, so that using one says "not yet" and not "unknown". */
const laterOptionNames = ['group'];

/** Beyond what any machine has; a larger number is a byte count in the wrong place. */
const mostThreads = 1024;

/** A checked call: what native code needs, and what stays on this side. */
export interface ResolvedCall {
  request: ContrastiveRequest;
  /** What the result will hold; null without gradient. */
  gradients: Gradients | null;
  /** Device memory that was allocated for this call's gradients: to be disposed of when it fails. */
  made: DeviceMatrix[];
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => void) | undefined;
}

/**
 * Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP,
 * ERR_DISPOSED, ERR_DEVICE, ERR_OUT_OF_MEMORY or ERR_NOT_IMPLEMENTED. With `gradient` false the options `grad` and `out` are ignored: the loss and its gradient can
 * share one options object.
 */
export function resolveCall(
  queryFeatures: Features,
  keyFeatures: Features | null,
  options: ContrastiveOptions = {},
  gradient = true,
): ResolvedCall {
  const given = check.plainObject('options', options) as ContrastiveOptions;
  check.knownNames('options', { ...given }, optionNames, laterOptionNames);
  const queries = toNativeFeatures('queries', queryFeatures);
  const keys = keyFeatures === null ? null : toNativeFeatures('keys', keyFeatures);
  const terms = resolveTerms(given, queries, keys);
  const hardKeys = resolveHardNegatives(given, queries);
  const keysAreAnchors =
    terms.objective === 'ntxent' ||
    terms.objective === 'supcon' ||
    (terms.directions & Direction.keyToKey) !== 0;
  const perRow = given.perRow !== undefined && check.boolean('options.perRow', given.perRow);
  const place = resolvePlace(given, [
    ['queries', queries],
    ['keys', keys],
    ['options.hardNegatives.keys', hardKeys],
  ]);
  const request = {
    queries,
    keys,
    ...terms,
    hardKeys,
    bfloat16: resolveCompute(given, queries.dtype, (keys ?? queries).dtype) === 'bfloat16',
    gradientFilter:
      given.gradientFilter === undefined ? 0 : check.share('options.gradientFilter', given.gradientFilter),
    gradient,
    rows: perRow ? allocateRows(queries.rows) : null,
    ...place,
    ...resolveResources(given),
    control: new Int32Array(Control.length),
  };
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  const onProgress: ResolvedCall['onProgress'] =
    given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress);
  if (!gradient)
    return { request: { ...request, ...noOutputs }, gradients: null, made: [], signal, onProgress };
  // last, as nothing may throw once there is device memory that only this call knows of
  const neighbour = isDeviceMatrix(queryFeatures) ? queryFeatures : null;
  const inputs = { queries, keys, hardKeys, neighbour, keysAreAnchors };
  const { outputs, gradients, made } = resolveOutputs(given, inputs);
  return { request: { ...request, ...outputs }, gradients, made, signal, onProgress };
}

/** The arithmetic of the products of features of these types. */
export function resolveCompute(
  { compute }: Pick<ContrastiveOptions, 'compute'>,
  ...features: DType[]
): 'float32' | 'bfloat16' {
  if (compute !== undefined) {
    return check.oneOf('options.compute', compute, ['float32', 'bfloat16'], ['float16']);
  }
  return features.every((dtype) => dtype === 'bfloat16') ? 'bfloat16' : 'float32';
}

function resolveHardNegatives(
  { hardNegatives }: ContrastiveOptions,
  queries: NativeMatrix,
): NativeMatrix | null {
  if (hardNegatives === undefined) return null;
  const name = 'options.hardNegatives';
  const given = check.plainObject(name, hardNegatives);
  check.knownNames(name, given, ['keys', 'perQuery']);
  const perQuery = check.positiveInteger(`${name}.perQuery`, given.perQuery);
  const keys = toNativeFeatures(`${name}.keys`, given.keys);
  if (keys.rows !== perQuery * queries.rows || keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${perQuery * queries.rows}, ${queries.dim}] (perQuery * queries, dim) for ${name}.keys but received ` +
        `[${keys.rows}, ${keys.dim}]`,
    );
  }
  return keys;
}

/** `threads` and `workspaceBytes`, 0 where native code is to choose. */
export function resolveResources(given: { threads?: number; workspaceBytes?: number }): {
  threads: number;
  workspaceBytes: number;
} {
  const { threads, workspaceBytes } = given;
  return {
    threads: threads === undefined ? 0 : check.positiveInteger('options.threads', threads, mostThreads),
    workspaceBytes:
      workspaceBytes === undefined ? 0 : check.positiveInteger('options.workspaceBytes', workspaceBytes),
  };
}
