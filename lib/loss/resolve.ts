/**
 * Turns a caller's arguments into one native request: names checked, defaults filled in, outputs allocated.
 * Makes all checks that need not read every feature, before native work starts.
 *
 * Refuses unknown names and combinations that make no sense. `call-memory.ts` refuses arrays that
 * overlap, later.
 */

import { resolveBackend } from '../backend';
import { codedError } from '../errors';
import { type ProcessGroup, resolveGroup } from '../group/process-group';
import { type Features, readFeatures, toNativeFeatures } from '../matrix/features';
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
import { refuseCpuOptions, refuseCpuOptionsInGroup } from './cpu-options';
import { resolvePlace } from './device-call';
import { checkGuide, guideMemory, readGuide, resolveGuide } from './guide';
import { countHardNegatives, readHardNegativeRows } from './hard-negative-rows';
import { readKeyLists } from './key-lists';
import { readLabels } from './listed-labels';
import { optionNames, rulesOf } from './objectives';
import type { AnyContrastiveOptions, Compute, Progress } from './options';
import { allocateRows, noOutputs, type ResolvedOutputs, readOutputOptions, resolveOutputs } from './outputs';
import { checkTerms, readDirections, readHardness, resolveTerms } from './resolve-terms';
import { checkTeacher, readTeacher, resolveTeacher, teacherMemory } from './teacher';

/** More than any machine has. A larger number is probably a byte count in the wrong place. */
const mostThreads = 1024;

/** A checked call: the native request, and the rest, which stays in TypeScript. */
export interface ResolvedCall extends Pick<ResolvedOutputs, 'gradients' | 'made' | 'files'> {
  request: ContrastiveRequest;
  group: ProcessGroup | undefined;
  memory: CallMemory<NamedMemory>;
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => unknown) | undefined;
}

/**
 * A snapshot of the caller's options, which is itself an options object. Each property, nested ones included,
 * is read once, so that a getter cannot give another answer after a check. Arrays in it are the caller's own,
 * not copies. Makes every check that needs no features; `chunkedStep` makes these checks before it encodes.
 *
 * With `gradient` false, the options `grad` and `out` are ignored: one options object serves both kinds
 * of call.
 *
 * Only a call that `takesGroup` may have the option `group`.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_DISPOSED
 * or ERR_NOT_IMPLEMENTED.
 */
export function readOptions(
  options: unknown = {},
  gradient = true,
  takesGroup = false,
): AnyContrastiveOptions {
  const given = readNames('options', options, optionNames) as AnyContrastiveOptions;
  refuseInGroups(given, takesGroup);
  const snapshot: AnyContrastiveOptions = {
    ...given,
    directions: readDirections(given.directions),
    hardness: readHardness(given.hardness),
    labels: readLabels(given.labels),
    hardNegatives: readHardNegatives(given.hardNegatives),
    excludePairs:
      given.excludePairs === undefined ? undefined : readKeyLists('options.excludePairs', given.excludePairs),
    guide: readGuide(given.guide),
    teacher: readTeacher(given.teacher),
    ...readOutputOptions(gradient ? given : {}),
  };
  checkTerms(snapshot);
  refuseCpuOptions(snapshot, resolveBackend(snapshot).backend);
  if (snapshot.group !== undefined) refuseCpuOptionsInGroup(snapshot);
  checkGuide(snapshot.guide, snapshot);
  checkTeacher(snapshot.teacher, snapshot);
  resolveResources(snapshot);
  resolveCompute(snapshot);
  resolveFilter(snapshot);
  if (snapshot.perRow !== undefined) check.boolean('options.perRow', snapshot.perRow);
  if (snapshot.signal !== undefined) check.abortSignal('options.signal', snapshot.signal);
  if (snapshot.onProgress !== undefined) check.callback('options.onProgress', snapshot.onProgress);
  return snapshot;
}

/** What does not work over several ranks yet, beside the options that `cpu-options.ts` refuses in a group. */
function refuseInGroups({ group, ...given }: AnyContrastiveOptions, takesGroup: boolean): void {
  resolveGroup(group);
  if (group === undefined) return;
  if (!takesGroup) {
    throw check.notImplemented(
      'options.group',
      'the group as an option of contrastiveLoss, contrastiveLossAndGrad or chunkedStep',
    );
  }
  if (given.backend === 'cuda') {
    throw check.notImplemented("options.group on backend 'cuda'", "backend: 'cpu'");
  }
}

/**
 * Checks a whole call. Throws as {@link readOptions}. Where options do not fit the features, throws
 * ERR_DEVICE as well, and ERR_OUT_OF_MEMORY where the gradients do not fit a device.
 */
export function resolveCall(
  queryFeatures: Features,
  keyFeatures: Features | null,
  options?: AnyContrastiveOptions,
  gradient = true,
  takesGroup = false,
): ResolvedCall {
  const given = readOptions(options, gradient, takesGroup);
  const queries = toNativeFeatures('queries', queryFeatures);
  const keys = keyFeatures === null ? null : toNativeFeatures('keys', keyFeatures);
  const terms = resolveTerms(given, queries, keys);
  const hardNegatives = resolveHardNegatives(given, queries);
  const place = resolvePlace(given, [
    ['queries', queries],
    ['keys', keys],
    ['options.hardNegatives.keys', hardNegatives],
  ]);
  refuseCpuOptions(given, place.backend);
  if (given.group !== undefined && place.backend === 'cuda') {
    throw check.notImplemented(
      'options.group with features on a device',
      "features on the host and backend: 'cpu'",
    );
  }
  const settings = {
    group: resolveGroup(given.group),
    bfloat16: resolveCompute(given, queries.dtype, (keys ?? queries).dtype) === 'bfloat16',
    gradientFilter: resolveFilter(given),
    gradient,
    rows: given.perRow ? allocateRows(queries.rows) : null,
    ...resolveResources(given),
    control: new Int32Array(Control.length),
  };
  const inputs = { queries, keys, hardNegatives };
  const frozen = { guide: resolveGuide(given.guide, inputs), teacher: resolveTeacher(given.teacher, inputs) };
  const read = [
    ...memoryRead({ ...inputs, ...terms }),
    ...guideMemory(frozen.guide),
    ...teacherMemory(frozen.teacher),
  ];
  const keysMeetKeys =
    rulesOf(terms.objective).isSelfSimilar || (terms.directions & Direction.keyToKey) !== 0;
  // last: an error after this line would lose device memory and files that only this call knows
  const resolved = gradient ? resolveOutputs(given, { ...inputs, keysMeetKeys }) : noOutputs();
  const { outputs, gradients, callers, made, files } = resolved;
  return {
    request: { ...inputs, ...terms, ...frozen, ...settings, ...place, ...outputs },
    gradients,
    made,
    files,
    memory: { read, written: callers },
    group: given.group,
    signal: given.signal,
    onProgress: given.onProgress,
  };
}

/**
 * The caller's own memory that native code reads. Labels, lists and weights are copies, so they are not among it.
 */
function memoryRead({
  queries,
  keys,
  hardNegatives,
  queryIds,
  keyIds,
  hardNegativeIds,
}: Pick<
  ContrastiveRequest,
  'queries' | 'keys' | 'hardNegatives' | 'queryIds' | 'keyIds' | 'hardNegativeIds'
>): NamedMemory[] {
  const all = [
    ['queries.data', queries],
    ['keys.data', keys],
    ['options.hardNegatives.keys.data', hardNegatives],
    ['options.queryIds', queryIds],
    ['options.keyIds', keyIds],
    ['options.hardNegatives.ids', hardNegativeIds],
  ] as const;
  return all.flatMap(([name, memory]): NamedMemory[] => (memory === null ? [] : [[name, memory]]));
}

/** The arithmetic of matrix products of features of these types. */
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
  return gradientFilter === undefined ? 0 : check.fraction('options.gradientFilter', gradientFilter);
}

const hardNegativesName = 'options.hardNegatives';

function readHardNegatives(hardNegatives: unknown): AnyContrastiveOptions['hardNegatives'] {
  if (hardNegatives === undefined) return undefined;
  const given = readNames(hardNegativesName, hardNegatives, ['keys', 'perQuery', 'offsets', 'ids']);
  const rows = readHardNegativeRows(hardNegativesName, given);
  const ids = given.ids as Int32Array | undefined; // checked with the other ids
  return { keys: readFeatures(`${hardNegativesName}.keys`, given.keys), ...rows, ids };
}

function resolveHardNegatives(
  { hardNegatives }: AnyContrastiveOptions,
  queries: NativeMatrix,
): NativeMatrix | null {
  if (hardNegatives === undefined) return null;
  const name = `${hardNegativesName}.keys`;
  const keys = toNativeFeatures(name, hardNegatives.keys);
  const rows = countHardNegatives(hardNegatives, queries.rows);
  if (keys.rows !== rows || keys.dim !== queries.dim) {
    const what = hardNegatives.offsets === undefined ? 'perQuery * queries' : 'the last of offsets';
    throw codedError(
      'ERR_SHAPE',
      `Expected [${rows}, ${queries.dim}] (${what}, dim) for ${name} but received ` +
        `[${keys.rows}, ${keys.dim}]`,
    );
  }
  return keys;
}

/** `threads` and `workspaceBytes`; 0 lets native code choose. */
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
