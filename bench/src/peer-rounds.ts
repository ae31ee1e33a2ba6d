/**
 * What a peer's process does, whichever framework computes in it: first calls, whose peak memory is measured; a
 * comparison with infcl, so that both do the same job; then one timed call for each line on stdin.
 */
import { createInterface } from 'node:readline';
import { contrastiveLossAndGradSync } from 'infcl';
import { measureGrowth } from './resident.js';
import type { PeerGreeting } from './yardsticks.js';

/** What any symmetric loss with both gradients returns. */
export interface LossAndGrads {
  loss: number;
  queryGrads: Float32Array;
  keyGrads: Float32Array;
}

export interface Peer {
  version: string;
  /** [rows, dim] each. */
  queries: Float32Array;
  keys: Float32Array;
  dim: number;
  scale: number;
  /** Ends when a caller can read the results. */
  call(): LossAndGrads | Promise<LossAndGrads>;
}

/** Largest relative difference from infcl that counts as the same job in float32. */
const agreement = 1e-5;

/** Largest difference of two elements, relative to the largest element. NaN where either has one. */
export function arrayDifference(theirs: Float32Array, ours: Float32Array): number {
  let difference = 0;
  let largest = 0;
  for (let at = 0; at < ours.length; at++) {
    difference = Math.max(difference, Math.abs(theirs[at] - ours[at]));
    largest = Math.max(largest, Math.abs(ours[at]));
  }
  return difference / largest;
}

function differenceFromInfcl({ queries, keys, dim, scale }: Peer, theirs: LossAndGrads): number {
  const shape = [queries.length / dim, dim] as const;
  const options = { logitScale: scale };
  const ours = contrastiveLossAndGradSync({ data: queries, shape }, { data: keys, shape }, options);
  return Math.max(
    Math.abs(theirs.loss - ours.loss) / ours.loss,
    arrayDifference(theirs.queryGrads, ours.queryGrads),
    arrayDifference(theirs.keyGrads, ours.keyGrads),
  );
}

/** A call that is timed, and a check of its result. */
export interface Rounds<Result> {
  version: string;
  /** Ends when a caller can read the results. */
  call(): Result | Promise<Result>;
  /** Largest relative difference from infcl. */
  difference(result: Result): number | Promise<number>;
}

/** Runs until stdin ends. Rejects where the peer computes something else than infcl. */
export async function serveRounds<Result>({ version, call, difference }: Rounds<Result>): Promise<void> {
  const { result, firstBytes, laterBytes } = await measureGrowth(call);
  const found = await difference(result);
  if (!(found <= agreement))
    throw new Error(`differs from infcl by ${found}, more than ${agreement}: not the same job`);
  const greeting: PeerGreeting = { version, firstBytes, laterBytes, difference: found };
  console.log(`ready ${JSON.stringify(greeting)}`);
  for await (const _ of createInterface({ input: process.stdin })) {
    const start = performance.now();
    await call();
    console.log((performance.now() - start) / 1e3);
  }
}

export function servePeer(peer: Peer): Promise<void> {
  const difference = (result: LossAndGrads) => differenceFromInfcl(peer, result);
  return serveRounds({ version: peer.version, call: () => peer.call(), difference });
}
