/**
 * The cost of a loss, before the call. The numbers come from the planner that the call itself obeys.
 *
 * Refuses to promise time: `estimatedSeconds` comes from the speed of small tiles, on an otherwise idle machine.
 */

import { requireBackend, resolveBackend } from '../backend';
import { callNative, codedError } from '../errors';
import { dtypes } from '../matrix/host-matrix';
import type { DType, NativeBinding, NativePlan, Objective, PlanRequest } from '../native/binding';
import { loadBinding } from '../native/load';
import { readNames } from '../read-names';
import * as check from '../validate';
import { objectiveNames, rulesOf } from './objectives';
import type { BackendOption, Compute } from './options';
import { frozenNames, type PlanFrozen, type PlannedFrozen, readPlanFrozen } from './plan-frozen';
import { type PlanRanks, planRanks, type RanksPlan, readPlanRanks, shardRows } from './plan-ranks';
import { type PlanChunk, planStep, readPlanChunk, type StepPlan } from './plan-step';
import { resolveCompute, resolveResources } from './resolve';

export interface PlanOptions {
  /** Default: 'clip', or 'infonce' where the numbers of queries and keys differ. */
  objective?: Objective | undefined;
  /** How many queries. */
  queries: number;
  /** How many keys, default `queries`. With 0, supcon compares the queries with each other alone. */
  keys?: number | undefined;
  /** Width of the features. */
  dim: number;
  /** Element type of queries and keys, default float32. */
  dtype?: DType | undefined;
  /** As in the call's options. */
  compute?: Compute | undefined;
  /** Whether the call computes gradients as well, default true. */
  gradient?: boolean | undefined;
  /** Default 'auto', the CPU. */
  backend?: BackendOption | undefined;
  /** Which CUDA device, default 0. */
  device?: number | undefined;
  /** Threads of the CPU, default as many as this process may use. */
  threads?: number | undefined;
  /** Upper bound on scratch memory in bytes, as in the call's options. */
  workspaceBytes?: number | undefined;
  /** The features of a guide, as a call takes them for queries and keys. Objectives 'clip' and 'infonce'; CPU only. */
  guide?: PlanFrozen | undefined;
  /** The same for a teacher. */
  teacher?: PlanFrozen | undefined;
  /** Rows of a chunk of `chunkedStep`, or an object that also says what a chunk takes. The plan then has `step`. */
  chunk?: number | PlanChunk | undefined;
  /**
   * Among how many ranks the batch is divided, or an object that also says how fast their network is. The plan then has
   * `ranks`.
   */
  ranks?: number | PlanRanks | undefined;
}

export interface Plan {
  /** Floating-point operations of the matrix products. */
  flops: number;
  bytes: {
    /** Queries and keys, and their features of a guide and a teacher. */
    inputs: number;
    grads: number;
    /** Scratch memory, as `stats.workspaceBytes` will report it. */
    workspace: number;
    /** The part of `workspace` for vectors along rows and columns: log-sum-exp and positive logits. */
    lse: number;
    /** Inputs, gradients and workspace. */
    total: number;
  };
  /**
   * Memory that a dense loss needs beside its inputs: logits (M × N, or all rows with all rows). With
   * `gradient`, the gradients of logits and features as well. A guide and a teacher add a matrix of dots each.
   */
  denseBytes: number;
  /** Parts in which a CUDA device will take the longest matrix; 1: as a whole. */
  slabs: number;
  /** On an otherwise idle machine: products, exponentials, packing, memory, and a floor for each call. */
  estimatedSeconds: number;
  /** With `chunk`: the whole step, both towers trained (none with `gradient: false`). */
  step?: StepPlan;
  /** With `ranks`: a call with the option `group`, of which each rank has an even part. */
  ranks?: RanksPlan;
}

/** Each option once, in the order in which messages list them. A missing or unknown name does not compile. */
const isPlanOption: Record<keyof PlanOptions, true> = {
  objective: true,
  compute: true,
  queries: true,
  keys: true,
  dim: true,
  dtype: true,
  gradient: true,
  backend: true,
  device: true,
  threads: true,
  workspaceBytes: true,
  guide: true,
  teacher: true,
  chunk: true,
  ranks: true,
};
const planNames = Object.keys(isPlanOption) as (keyof PlanOptions)[];
const bytesPerFloat = 4;
/** 4 PiB of float32: no machine has room for more. Native code refuses more than this as well. */
const mostFeatures = 2 ** 50;

/**
 * Costs of `contrastiveLossAndGrad` (of `contrastiveLoss` with `gradient: false`) for features of this shape.
 * The first call for a number of threads measures the speed of this machine, which takes some milliseconds. A larger
 * shape takes no longer, and `plan` waits for no call.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_SHAPE, ERR_OPTION, ERR_WORKSPACE, ERR_NOT_IMPLEMENTED,
 * ERR_BACKEND_UNAVAILABLE or ERR_DEVICE.
 */
export function plan(options: PlanOptions): Plan {
  return planOn(loadBinding, options);
}

/** `plan` on an addon that is loaded after the options are checked. */
export function planOn(getBinding: () => NativeBinding, options: PlanOptions): Plan {
  const given = readNames('options', options, planNames) as unknown as PlanOptions;
  const { request, frozen } = readRequest(given);
  const chunk = given.chunk === undefined ? undefined : readPlanChunk('options.chunk', given.chunk);
  const ranks = given.ranks === undefined ? undefined : readPlanRanks('options.ranks', given.ranks);
  const shard = ranks && readShard(request, frozen, ranks);
  const binding = getBinding();
  requireBackend(request, binding);
  const frozenBytes = bytesOfFrozen(request, frozen);
  const planned = describeCosts(request, planNatively(request, binding), frozenBytes);
  return {
    ...planned,
    ...(chunk && { step: planStep(chunk, request, planned, frozenBytes) }),
    ...(ranks && shard && { ranks: planShard(ranks, shard, binding) }),
  };
}

/** The part of the rank that has most. Throws ERR_VALUE, or ERR_NOT_IMPLEMENTED for what a group does not take. */
function readShard(request: PlanRequest, frozen: PlannedFrozen, ranks: PlanRanks): PlanRequest {
  for (const name of frozenNames)
    if (frozen[name] !== null)
      throw check.notImplemented(`options.${name} beside options.ranks`, 'a plan without ranks');
  if (request.backend === 'cuda')
    throw check.notImplemented("options.ranks on backend 'cuda'", "backend: 'cpu'");
  const queries = shardRows('options.queries', request.queries, ranks);
  return { ...request, queries, keys: shardRows('options.keys', request.keys, ranks) };
}

/**
 * The ring makes two passes where a call of one process may fuse them, and its guests meet all rows where a side alone
 * meets itself. So the plan of `clip`, which has neither, says what a visit takes.
 */
function planShard(ranks: PlanRanks, shard: PlanRequest, binding: NativeBinding): RanksPlan {
  const own = planNatively(shard, binding);
  const { objective, queries, keys } = shard;
  const columns = keys === 0 ? queries : keys;
  const hasOwnPlan = ranks.count === 1 || (rulesOf(objective).isSelfSimilar && keys > 0);
  // 'clip' has as many keys as queries: of others, the own plan is as near as any
  const visit =
    hasOwnPlan || columns !== queries
      ? own
      : planNatively({ ...shard, objective: 'clip', keys: columns }, binding);
  return planRanks(ranks, shard, {
    workspace: Math.max(own.workspaceBytes, visit.workspaceBytes),
    seconds: keys === 0 ? own.seconds : Math.max(own.seconds, visit.seconds),
  });
}

function planNatively(request: PlanRequest, binding: NativeBinding): NativePlan {
  const native = callNative(() => binding.plan(request));
  const { workspaceBytes } = request;
  if (workspaceBytes === 0 || workspaceBytes >= native.minimumWorkspaceBytes) return native;
  throw codedError(
    'ERR_WORKSPACE',
    `Expected at least ${native.minimumWorkspaceBytes} for options.workspaceBytes but received ${workspaceBytes}`,
  );
}

function readRequest(given: PlanOptions): { request: PlanRequest; frozen: PlannedFrozen } {
  const queries = check.positiveInteger('options.queries', given.queries);
  const { objective, keys } = resolveObjective(given, queries);
  const dim = check.positiveInteger('options.dim', given.dim);
  refuseBeyondMemory(queries, keys, 'options.dim', dim);
  const gradient = given.gradient === undefined || check.boolean('options.gradient', given.gradient);
  const dtype = given.dtype === undefined ? 'float32' : check.oneOf('options.dtype', given.dtype, dtypes);
  const resources = resolveResources(given);
  const choice = resolveBackend(given);
  const bfloat16 = resolveCompute(given, dtype) === 'bfloat16';
  const frozen = readPlanFrozen(given, objective, choice.backend);
  for (const name of frozenNames)
    refuseBeyondMemory(queries, keys, `options.${name}.dim`, frozen[name]?.dim ?? 0);
  const auxiliary = { guideDim: frozen.guide?.dim ?? 0, teacherDim: frozen.teacher?.dim ?? 0 };
  const shape = { objective, queries, keys, dim, dtype, ...auxiliary };
  return { request: { ...shape, bfloat16, gradient, ...choice, ...resources }, frozen };
}

function resolveObjective(given: PlanOptions, queries: number): { objective: Objective; keys: number } {
  const wanted =
    given.objective === undefined
      ? undefined
      : check.oneOf('options.objective', given.objective, objectiveNames);
  if (wanted !== undefined && rulesOf(wanted).allowsNoKeys && given.keys === 0)
    return { objective: wanted, keys: 0 };
  const keys = given.keys === undefined ? queries : check.positiveInteger('options.keys', given.keys);
  const objective = wanted ?? (keys === queries ? 'clip' : 'infonce');
  if (rulesOf(objective).isPaired && keys !== queries) {
    throw codedError(
      'ERR_SHAPE',
      `Expected as many keys as queries (${queries}) for objective '${objective}' but received ${keys}`,
    );
  }
  return { objective, keys };
}

function refuseBeyondMemory(queries: number, keys: number, name: string, dim: number): void {
  if ((queries + keys) * dim <= mostFeatures) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected at most ${mostFeatures} features, (options.queries + options.keys) * ${name}, which is more than ` +
      `any memory holds, but received (${queries} + ${keys}) * ${dim}`,
  );
}

const bytesPer = (dtype: DType) => (dtype === 'float32' ? bytesPerFloat : bytesPerFloat / 2);

/** The caller's features of a guide and a teacher. */
function bytesOfFrozen({ queries, keys }: PlanRequest, frozen: PlannedFrozen): number {
  let bytes = 0;
  for (const name of frozenNames) {
    const features = frozen[name];
    if (features !== null) bytes += (queries + keys) * features.dim * bytesPer(features.dtype);
  }
  return bytes;
}

function describeCosts(
  { objective, queries, keys, dim, dtype, gradient, guideDim, teacherDim }: PlanRequest,
  native: NativePlan,
  frozenBytes: number,
): Plan {
  const inputs = (queries + keys) * dim * bytesPer(dtype) + frozenBytes;
  const grads = gradient ? (queries + keys) * dim * bytesPerFloat : 0;
  const { isSelfSimilar } = rulesOf(objective);
  const logits = (isSelfSimilar ? (queries + keys) ** 2 : queries * keys) * bytesPerFloat;
  const others = [guideDim, teacherDim].filter((width) => width > 0).length;
  const { flops, workspaceBytes: workspace, lseBytes: lse, slabs, seconds: estimatedSeconds } = native;
  return {
    flops,
    bytes: { inputs, grads, workspace, lse, total: inputs + grads + workspace },
    denseBytes: (gradient ? 2 * logits + grads : logits) + others * logits,
    slabs,
    estimatedSeconds,
  };
}
