/**
 * The cost of a whole chunked step, from the plan of its loss.
 *
 * Refuses to guess the time of a network: without the caller's measurements the step has no estimate.
 */

import { readNames } from '../read-names';
import * as check from '../validate';

/** The chunks of a step, and what the caller measured for one of them. */
export interface PlanChunk {
  /** Rows of one chunk. */
  rows: number;
  /** Seconds of `encode` for one chunk; at least 0. */
  encodeSeconds?: number | undefined;
  /** Seconds of `backward` for one chunk; at least 0. A plan without gradient needs none. */
  backwardSeconds?: number | undefined;
}

export interface StepPlan {
  /** How many chunks each side has. With gradients, each chunk is encoded twice. */
  chunks: { queries: number; keys: number };
  /** Rows whose activations exist at one time, at most. Without chunks, the activations of all rows would. */
  activationRows: number;
  /** The step's own memory, without activations, in bytes: `Plan.bytes` under the names of the cost report. */
  bytes: {
    /** Features of both towers, kept from their encode phase to the loss. */
    encode: number;
    /** Feature gradients of both towers, and the workspace of the loss. */
    loss: number;
    total: number;
  };
  /** Loss, and the passes over all chunks. Only where the chunk has `encodeSeconds`, and `backwardSeconds` if needed. */
  estimatedSeconds?: number;
}

/** What the plan of the loss says. */
interface LossPlan {
  bytes: { inputs: number; grads: number; workspace: number; total: number };
  estimatedSeconds: number;
}

const mostSeconds = 1e9;

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readPlanChunk(name: string, value: unknown): PlanChunk {
  if (typeof value === 'number') return { rows: check.positiveInteger(name, value) };
  const { rows, encodeSeconds, backwardSeconds } = readNames(name, value, [
    ...(['rows', 'encodeSeconds', 'backwardSeconds'] as const),
  ]);
  const seconds = (what: string, given: unknown) =>
    given === undefined ? undefined : check.numberBetween(`${name}.${what}`, given, 0, mostSeconds);
  return {
    rows: check.positiveInteger(`${name}.rows`, rows),
    encodeSeconds: seconds('encodeSeconds', encodeSeconds),
    backwardSeconds: seconds('backwardSeconds', backwardSeconds),
  };
}

/** @param frozenBytes Among the inputs: features that no tower of the step makes. */
export function planStep(
  chunk: PlanChunk,
  { queries, keys, gradient }: { queries: number; keys: number; gradient: boolean },
  { bytes, estimatedSeconds }: LossPlan,
  frozenBytes: number,
): StepPlan {
  const { rows, encodeSeconds, backwardSeconds } = chunk;
  const chunks = { queries: Math.ceil(queries / rows), keys: Math.ceil(keys / rows) };
  const all = chunks.queries + chunks.keys;
  const ofChunk = encodeSeconds !== undefined && (gradient ? backwardSeconds : 0);
  return {
    chunks,
    activationRows: Math.min(rows, Math.max(queries, keys)),
    bytes: {
      encode: bytes.inputs - frozenBytes,
      loss: bytes.grads + bytes.workspace,
      total: bytes.total - frozenBytes,
    },
    ...(typeof ofChunk === 'number' && {
      estimatedSeconds: estimatedSeconds + all * (encodeSeconds! + ofChunk),
    }),
  };
}
