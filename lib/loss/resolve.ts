/**
 * How what a caller asks becomes one native request: names checked, defaults filled in, outputs allocated. All checks
 * that do not need to look at every feature happen here, before native work starts.
 *
 * Refuses names it does not know and combinations that make no sense. Overlap is found later, by address: call-memory.ts.
 */

import { resolveBackend } from '../backend';
import { codedError } from '../errors';
import { type DeviceMatrix, isDeviceMatrix } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import type { CallMemory } from '../matrix/memory-extent';
import {
  type ContrastiveRequest,
  Control,
  Direction,
  type DType,
  type NativeMatrix,
} from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';
import { readFeatures, resolvePlace, toNativeFeatures } from './device-call';
import { optionNames, rulesOf } from './objectives';
import type { AnyContrastiveOptions, Compute, Progress } from './options';
import { allocateRows, type Gradients, noOutputs, readOutputOptions, resolveOutputs } from './outputs';
import { checkTerms, readDirections, readHardness, resolveTerms } from './resolve-terms';

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
  memory: CallMemory<NamedMemory>;
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => unknown) | undefined;
}

/**
 * The caller's options as they are now: each property, nested ones included, is read once, so that a getter cannot give
 * another answer after a check. Makes every check that needs no features; `chunkedStep` makes them before it encodes.
 * The snapshot is itself an options object. Arrays in it are the caller's own, not copies.
 *
 * With `gradient` false the options `grad` and `out` are left out: the loss and its gradient can share one options object.
 * Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_DISPOSED or
 * ERR_NOT_IMPLEMENTED.
 */
export function readOptions(options: unknown = {}, gradient = true): AnyContrastiveOptions {
  const given = readNames('options', options, optionNames, laterOptionNames) as AnyContrastiveOptions;
  const snapshot: AnyContrastiveOptions = {
    ...given,
    directions: readDirections(given.directions),
    hardness: readHardness(given.hardness),
    hardNegatives: readHardNegatives(given.hardNegatives),
    ...readOutputOptions(gradient ? given : {}),
  };
  checkTerms(snapshot);
  resolveBackend(snapshot);
  resolveResources(snapshot);
  resolveCompute(snapshot);
  resolveFilter(snapshot);
  if (snapshot.perRow !== undefined) check.boolean('options.perRow', snapshot.perRow);
  if (snapshot.signal !== undefined) check.abortSignal('options.signal', snapshot.signal);
  if (snapshot.onProgress !== undefined) check.callback('options.onProgress', snapshot.onProgress);
  return snapshot;
}

/**
 * Checks a whole call. Throws as {@link readOptions}, and what is wrong between features and options: ERR_OVERLAP,
 * ERR_DEVICE or ERR_OUT_OF_MEMORY as well.
 */
export function resolveCall(
  queryFeatures: Features,
  keyFeatures: Features | null,
  options?: AnyContrastiveOptions,
  gradient = true,
): ResolvedCall {
  const given = readOptions(options, gradient);
  const queries = toNativeFeatures('queries', queryFeatures);
  const keys = keyFeatures === null ? null : toNativeFeatures('keys', keyFeatures);
  const terms = resolveTerms(given, queries, keys);
  const hardNegatives = resolveHardNegatives(given, queries);
  const keysAreAnchors =
    rulesOf(terms.objective).isSelfSimilar || (terms.directions & Direction.keyToKey) !== 0;
  const place = resolvePlace(given, [
    ['queries', queries],
    ['keys', keys],
    ['options.hardNegatives.keys', hardNegatives],
  ]);
  const request = {
    queries,
    keys,
    ...terms,
    hardNegatives,
    bfloat16: resolveCompute(given, queries.dtype, (keys ?? queries).dtype) === 'bfloat16',
    gradientFilter: resolveFilter(given),
    gradient,
    rows: given.perRow ? allocateRows(queries.rows) : null,
    ...place,
    ...resolveResources(given),
    control: new Int32Array(Control.length),
  };
  const { signal, onProgress } = given;
  const read = memoryRead(request);
  if (!gradient) {
    const memory = { read, written: [] };
    return { request: { ...request, ...noOutputs }, gradients: null, made: [], memory, signal, onProgress };
  }
  // last, as nothing may throw once there is device memory that only this call knows of
  const neighbour = isDeviceMatrix(queryFeatures) ? queryFeatures : null;
  const inputs = { queries, keys, hardNegatives, neighbour, keysAreAnchors };
  const { outputs, gradients, callers, made } = resolveOutputs(given, inputs);
  const memory = { read, written: callers };
  return { request: { ...request, ...outputs }, gradients, made, memory, signal, onProgress };
}

/** What native code reads of the caller's own memory. Labels and weights are copies. */
function memoryRead({
  queries,
  keys,
  hardNegatives,
  queryIds,
  keyIds,
}: Pick<ContrastiveRequest, 'queries' | 'keys' | 'hardNegatives' | 'queryIds' | 'keyIds'>): NamedMemory[] {
  const all = [
    ['queries.data', queries],
    ['keys.data', keys],
    ['options.hardNegatives.keys.data', hardNegatives],
    ['options.queryIds', queryIds],
    ['options.keyIds', keyIds],
  ] as const;
  return all.flatMap(([name, memory]): NamedMemory[] => (memory === null ? [] : [[name, memory]]));
}

/** The arithmetic of the products of features of these types. */
export function resolveCompute(
  { compute }: Pick<AnyContrastiveOptions, 'compute'>,
  ...features: DType[]
): Compute {
  if (compute !== undefined) {
    return check.oneOf('options.compute', compute, ['float32', 'bfloat16'], ['float16']);
  }
  return features.every((dtype) => dtype === 'bfloat16') ? 'bfloat16' : 'float32';
}

function resolveFilter({ gradientFilter }: AnyContrastiveOptions): number {
  return gradientFilter === undefined ? 0 : check.share('options.gradientFilter', gradientFilter);
}

const hardNegativesName = 'options.hardNegatives';

function readHardNegatives(hardNegatives: unknown): AnyContrastiveOptions['hardNegatives'] {
  if (hardNegatives === undefined) return undefined;
  const given = readNames(hardNegativesName, hardNegatives, ['keys', 'perQuery']);
  const perQuery = check.positiveInteger(`${hardNegativesName}.perQuery`, given.perQuery);
  return { keys: readFeatures(`${hardNegativesName}.keys`, given.keys), perQuery };
}

function resolveHardNegatives(
  { hardNegatives }: AnyContrastiveOptions,
  queries: NativeMatrix,
): NativeMatrix | null {
  if (hardNegatives === undefined) return null;
  const { perQuery } = hardNegatives;
  const name = `${hardNegativesName}.keys`;
  const keys = toNativeFeatures(name, hardNegatives.keys);
  if (keys.rows !== perQuery * queries.rows || keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${perQuery * queries.rows}, ${queries.dim}] (perQuery * queries, dim) for ${name} but received ` +
        `[${keys.rows}, ${keys.dim}]`,
    );
  }
  return keys;
}

/** `threads` and `workspaceBytes`, 0 where native code is to choose. */
export function resolveResources(given: Pick<AnyContrastiveOptions, 'threads' | 'workspaceBytes'>): {
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
