/**
 * The cost of a call over several ranks, from the plan of one rank's shard: memory, bytes on the wire, and whether the
 * ring hides them.
 *
 * Refuses to guess the speed of a network: without it, the plan says only how much is sent.
 */

import { codedError } from '../errors';
import type { DType } from '../matrix/host-matrix';
import type { Objective } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import { rulesOf } from './objectives';

/** The ranks of a call, and what the caller knows of their network. */
export interface PlanRanks {
  /** How many ranks. The batch is cut evenly. */
  count: number;
  /** What one rank sends to the next one in a second, while it receives as much. */
  bytesPerSecond?: number | undefined;
}

export interface RanksPlan {
  /** Rows of the largest shard. */
  rows: { queries: number; keys: number };
  /** Memory of the rank with the largest shard. */
  bytes: {
    /** Its features. */
    inputs: number;
    /** Their gradients. */
    grads: number;
    /** Scratch memory of its visits, and the slots of guests. */
    workspace: number;
    /** The part of `workspace` for guests: three halves of a shard. */
    guests: number;
    /** Inputs, gradients and workspace. */
    total: number;
  };
  /** What a rank sends to its neighbour. */
  bytesSent: { forward: number; backward: number; total: number };
  /** What a rank computes: its own columns, and the guests of all other ranks. */
  computeSeconds: number;
  /** Seconds for `bytesSent`. Only with `bytesPerSecond`; so are the next two. */
  sendSeconds?: number;
  /** Whether guests take at least as long to compute as to send, so that nobody waits for the network. */
  hidden?: boolean;
  /** The call: own columns, and the longer one of computing and sending guests. */
  estimatedSeconds?: number;
}

/** What the plan of one shard has. */
interface ShardPlan {
  objective: Objective;
  dim: number;
  dtype: DType;
  gradient: boolean;
  /** The rows of a shard. */
  queries: number;
  keys: number;
}

/** As many as `threadGroups` makes; MPI has no such limit, and a plan needs one. */
const mostRanks = 2 ** 20;
/** Parts of a message begin at multiples of this. */
const alignment = 64;
const piecesOfShard = 2;
const slots = 3;
const bytesPerFloat = 4;

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readPlanRanks(name: string, value: unknown): PlanRanks {
  if (typeof value === 'number') return { count: check.positiveInteger(name, value, mostRanks) };
  const { count, bytesPerSecond } = readNames(name, value, ['count', 'bytesPerSecond']);
  return {
    count: check.positiveInteger(`${name}.count`, count, mostRanks),
    bytesPerSecond:
      bytesPerSecond === undefined
        ? undefined
        : check.positiveFloat(`${name}.bytesPerSecond`, bytesPerSecond, 1e30),
  };
}

/** Rows of the largest shard of an even cut. Throws ERR_VALUE where a rank would have none. */
export function shardRows(name: string, rows: number, { count }: PlanRanks): number {
  if (rows >= count || rows === 0) return Math.ceil(rows / count);
  throw codedError(
    'ERR_VALUE',
    `Expected at least ${count} for ${name}, a row for each rank, but received ${rows}`,
  );
}

/**
 * @param workspace Scratch memory of a call on one shard alone.
 * @param seconds Of such a call.
 */
export function planRanks(
  { count, bytesPerSecond }: PlanRanks,
  shard: ShardPlan,
  { workspace, seconds }: { workspace: number; seconds: number },
): RanksPlan {
  const { queries, keys, dim, gradient } = shard;
  const width = dim * elementBytes(shard.dtype);
  const guests = count === 1 ? 0 : guestBytes(shard);
  const bytes = {
    inputs: (queries + keys) * width,
    grads: gradient ? (queries + keys) * dim * bytesPerFloat : 0,
    workspace: workspace + guests,
    guests,
  };
  const [forward, backward] = [
    sentIn(shard, count, 'forward'),
    gradient ? sentIn(shard, count, 'backward') : 0,
  ];
  const sent = forward + backward;
  const computeSeconds = count * seconds;
  const plan: RanksPlan = {
    rows: { queries, keys },
    bytes: { ...bytes, total: bytes.inputs + bytes.grads + bytes.workspace },
    bytesSent: { forward, backward, total: sent },
    computeSeconds,
  };
  if (bytesPerSecond === undefined) return plan;
  const sendSeconds = sent / bytesPerSecond;
  const ofGuests = computeSeconds - seconds;
  return {
    ...plan,
    sendSeconds,
    hidden: sendSeconds <= ofGuests,
    estimatedSeconds: seconds + Math.max(ofGuests, sendSeconds),
  };
}

const elementBytes = (dtype: DType) => (dtype === 'float32' ? bytesPerFloat : bytesPerFloat / 2);

/** Bytes of the parts of a message, each of which begins at a multiple of the alignment. */
const aligned = (rows: number, ...bytesPerRow: readonly number[]) =>
  bytesPerRow.reduce((sum, bytes) => sum + Math.ceil((rows * bytes) / alignment) * alignment, 0);

/** The slots have room for every part that a guest may have, whatever the options of the call are. */
function guestBytes({ queries, keys, dim, dtype, gradient }: ShardPlan): number {
  const rows = Math.ceil(Math.max(queries, keys) / piecesOfShard);
  const along = [4, 4, 4, 8, 4, 8, 4, 4, 8, 4, 8, 8, 8];
  const gradientBytes = gradient ? [dim * bytesPerFloat] : [];
  return slots * aligned(rows, dim * elementBytes(dtype), ...along, ...gradientBytes);
}

/** The columns of one similarity, as they go round. */
interface Round {
  rows: number;
  /** Rows and columns are of one side: two ranks need to meet once only. */
  isTriangle: boolean;
}

function roundsOf({ objective, queries, keys }: ShardPlan): Round[] {
  const all = [
    { rows: keys, isTriangle: false },
    { rows: queries, isTriangle: true },
    { rows: keys, isTriangle: true },
  ];
  return (rulesOf(objective).isSelfSimilar ? all : all.slice(0, 1)).filter(({ rows }) => rows > 0);
}

/** Of one rank in one pass: what docs/ring.md says, rounded up part by part. */
function sentIn(shard: ShardPlan, count: number, pass: 'forward' | 'backward'): number {
  const { objective, dim, dtype, gradient } = shard;
  // along columns that are anchors too: a log-sum-exp, and in the backward pass its weight
  const columnsAreAnchors = objective !== 'infonce' && objective !== 'siglip';
  const isSupcon = objective === 'supcon';
  const features = [dim * elementBytes(dtype), ...(isSupcon ? [4] : [])];
  const sums = columnsAreAnchors ? [8, 4, ...(isSupcon ? [8] : [])] : [];
  const factors = columnsAreAnchors ? [8, 4, 8, ...(isSupcon ? [4] : [])] : [];
  const there = pass === 'forward' ? features : [...features, ...factors];
  const home = pass === 'forward' ? sums : gradient ? [dim * bytesPerFloat] : [];
  return roundsOf(shard).reduce((sum, { rows, isTriangle }) => {
    const hops = isTriangle ? Math.floor(count / 2) : count - 1;
    const pieces = [Math.floor(rows / piecesOfShard), Math.ceil(rows / piecesOfShard)];
    return pieces.reduce((all, piece) => all + hops * aligned(piece, ...there, ...home), sum);
  }, 0);
}
