/**
 * What a loss will cost, before it is paid. The numbers come from the planner that the call itself obeys.
 *
 * Refuses to promise time: `estimatedSeconds` is work over measured speed, on an otherwise idle machine.
 */

import { requireBackend, resolveBackend } from '../backend';
import { codedError, fromNative } from '../errors';
import { readNames } from '../names';
import type { DType, NativeBinding, NativePlan, Objective, PlanRequest } from '../native/binding';
import { loadBinding } from '../native/load';
import * as check from '../validate';
import { objectiveNames, rulesOf } from './objectives';
import type { BackendOption, Compute } from './options';
import { resolveCompute, resolveResources } from './resolve';

export interface PlanOptions {
  /** Default: 'clip', or 'infonce' where `keys` differ from `rows`. */
  objective?: Objective | undefined;
  /** Number of queries. */
  rows: number;
  /** Number of keys, default `rows`; 0 for supcon over the queries alone. */
  keys?: number | undefined;
  dim: number;
  /** Of queries and keys, default float32. */
  dtype?: DType | undefined;
  /** As in the call's options. */
  compute?: Compute | undefined;
  /** Whether gradients are wanted as well, default true. */
  gradient?: boolean | undefined;
  backend?: BackendOption | undefined;
  /** Which CUDA device. */
  device?: number | undefined;
  /** Of the CPU. Default: as many as this process may use. */
  threads?: number | undefined;
  /** Upper bound on scratch memory in bytes, as in the call's options. */
  workspaceBytes?: number | undefined;
}

export interface Plan {
  /** Floating-point operations of the matrix products. */
  flops: number;
  bytes: {
    inputs: number;
    grads: number;
    /** Scratch memory, as `stats.workspaceBytes` will report it. */
    workspace: number;
    /** What of it are vectors along rows and columns: log-sum-exp and positive logits. */
    lse: number;
    /** Inputs, gradients and workspace. */
    total: number;
  };
  /** What a dense loss needs beside its inputs: logits (M × N, or all rows with all rows), and with `gradient` their gradient and the features'. */
  denseBytes: number;
  /** Parts in which a CUDA device will take the longest matrix; 1: as a whole. */
  slabs: number;
  estimatedSeconds: number;
}

const planNames: readonly (keyof PlanOptions)[] = [
  'objective',
  'compute',
  'rows',
  'keys',
  'dim',
  'dtype',
  'gradient',
  'backend',
  'device',
  'threads',
  'workspaceBytes',
];
const laterPlanNames = ['ranks', 'chunk'];
const bytesPerFloat = 4;
/** 4 PiB of float32: no machine has room for more. Native code refuses more than this as well. */
const mostFeatures = 2 ** 50;

/**
 * Costs of `contrastiveLossAndGrad` (of `contrastiveLoss` with `gradient: false`) for features of this shape. The
 * first call measures the speed of this machine, which takes some milliseconds. Takes no longer for a larger shape, and
 * waits for no call.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_SHAPE, ERR_OPTION, ERR_WORKSPACE, ERR_NOT_IMPLEMENTED, ERR_BACKEND_UNAVAILABLE or
 * ERR_DEVICE.
 */
export function plan(options: PlanOptions): Plan {
  return planOn(loadBinding, options);
}

/** `plan` on an addon that is loaded after the options are checked. */
export function planOn(getBinding: () => NativeBinding, options: PlanOptions): Plan {
  const given = readNames('options', options, planNames, laterPlanNames) as unknown as PlanOptions;
  const rows = check.positiveInteger('options.rows', given.rows);
  const { objective, keys } = resolveObjective(given, rows);
  const dim = check.positiveInteger('options.dim', given.dim);
  refuseBeyondMemory(rows, keys, dim);
  const gradient = given.gradient === undefined || check.boolean('options.gradient', given.gradient);
  const dtype =
    given.dtype === undefined
      ? 'float32'
      : check.oneOf('options.dtype', given.dtype, ['float32', 'float16', 'bfloat16']);
  const resources = resolveResources(given);
  const choice = resolveBackend(given);

  const binding = getBinding();
  requireBackend(choice, binding);
  const compute = resolveCompute(given, dtype);
  const native = askNative(binding, {
    objective,
    rows,
    keys,
    dim,
    dtype,
    bfloat16: compute === 'bfloat16',
    gradient,
    ...choice,
    ...resources,
  });
  const { workspaceBytes } = resources;
  if (workspaceBytes > 0 && workspaceBytes < native.minimumWorkspaceBytes) {
    throw codedError(
      'ERR_WORKSPACE',
      `Expected at least ${native.minimumWorkspaceBytes} for options.workspaceBytes but received ${workspaceBytes}`,
    );
  }

  const inputs = (rows + keys) * dim * (dtype === 'float32' ? bytesPerFloat : bytesPerFloat / 2);
  const grads = gradient ? (rows + keys) * dim * bytesPerFloat : 0;
  const { isSelfSimilar } = rulesOf(objective);
  const logits = (isSelfSimilar ? (rows + keys) ** 2 : rows * keys) * bytesPerFloat;
  return {
    flops: native.flops,
    bytes: {
      inputs,
      grads,
      workspace: native.workspaceBytes,
      lse: native.lseBytes,
      total: inputs + grads + native.workspaceBytes,
    },
    denseBytes: gradient ? 2 * logits + grads : logits,
    slabs: native.slabs,
    estimatedSeconds: native.flops / (native.gflopsPerSecond * 1e9),
  };
}

function resolveObjective(given: PlanOptions, rows: number): { objective: Objective; keys: number } {
  const wanted =
    given.objective === undefined
      ? undefined
      : check.oneOf('options.objective', given.objective, objectiveNames);
  if (wanted !== undefined && rulesOf(wanted).allowsNoKeys && given.keys === 0)
    return { objective: wanted, keys: 0 };
  const keys = given.keys === undefined ? rows : check.positiveInteger('options.keys', given.keys);
  const objective = wanted ?? (keys === rows ? 'clip' : 'infonce');
  if (rulesOf(objective).isPaired && keys !== rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected as many keys as queries (${rows}) for objective '${objective}' but received ${keys}`,
    );
  }
  return { objective, keys };
}

function refuseBeyondMemory(rows: number, keys: number, dim: number): void {
  if ((rows + keys) * dim <= mostFeatures) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected at most ${mostFeatures} features, (options.rows + options.keys) * options.dim, which is more than ` +
      `any memory holds, but received (${rows} + ${keys}) * ${dim}`,
  );
}

function askNative(binding: NativeBinding, request: PlanRequest): NativePlan {
  try {
    return binding.plan(request);
  } catch (error) {
    throw fromNative(error);
  }
}
