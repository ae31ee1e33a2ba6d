/**
 * How long a call over ranks takes, on paper. Nothing here is measured: rates, bandwidths and times of messages are
 * numbers that the caller assumes.
 *
 *   flops      floating-point operations that one rank does in a second, in both passes
 *   bandwidth  bytes that one rank sends in a second, while it receives as many
 *   latency    seconds before the first byte of a message arrives
 *   handling   seconds that a rank spends on one message of the agreement after a visit
 *   rest       seconds between two looks at the network, which each round of an agreement may wait
 *
 * What the model takes from the code: the ranks agree after each visit, so all are at the same visit, and the slowest
 * rank sets the time. One message leaves and one arrives beside each visit. An agreement goes in
 * rounds (csrc/comm/mpi/group_communicator.cpp): in each one, a rank hears from up to seven others, and then knows of
 * eight times as many.
 */
import { roundsOf } from './messages.mjs';

/** Products of one logit and of its part in the gradients, in units of 2 · D operations. */
const products = { limits: 1, forward: 1, backward: 3 };

/** Ranks of which each one knows more, by one round of an agreement. */
const radix = 8;

export function agreementSeconds(ranks, { handling, rest }) {
  let seconds = 0;
  for (let distance = 1; distance < ranks; distance *= radix) {
    const partners = Math.min(radix - 1, Math.ceil(ranks / distance) - 1);
    seconds += rest + 2 * partners * handling;
  }
  return seconds;
}

/** Seconds of one rank's rounds, by what they are spent on. */
function secondsOf(rounds, ranks, dim, assumed) {
  const agreement = agreementSeconds(ranks, assumed);
  const out = { compute: 0, notHidden: 0, agreement: 0, sentBytes: 0 };
  for (const { phase, hops, visits } of rounds) {
    visits.forEach((pairs, at) => {
      const compute = (products[phase] * 2 * dim * pairs) / assumed.flops;
      const bytes = hops[at] ?? 0;
      const transfer = bytes > 0 ? bytes / assumed.bandwidth + assumed.latency : 0;
      out.compute += compute;
      out.notHidden += Math.max(0, transfer - compute);
      out.agreement += agreement;
      out.sentBytes += bytes;
    });
  }
  return { ...out, total: out.compute + out.notHidden + out.agreement };
}

/** Bytes that a rank needs: features and gradients of its own, and three slots of half a shard. */
export function bytesOfRank({ rows, dim, dtype = 'float32' }) {
  const element = dtype === 'float32' ? 4 : 2;
  const own = 2 * rows * dim * (element + 4);
  const slots = 3 * Math.ceil(rows / 2) * ((element + 4) * dim + 20);
  return own + slots;
}

/**
 * A call of any shards, as `roundsOf` takes it. The slowest rank sets the time of each visit and of each message.
 * `looked`: ranks that differ in their work, where the others do as one of these.
 */
export function modelCall(call, assumed, looked = call.shards.map((_, rank) => rank)) {
  const all = looked.map((rank) => roundsOf(call, rank));
  const most = (round, list, at) => Math.max(...all.map((rounds) => rounds[round][list][at]));
  const slowest = all[0].map(({ phase, hops, visits }, round) => ({
    phase,
    hops: hops.map((_, hop) => most(round, 'hops', hop)),
    visits: visits.map((_, visit) => most(round, 'visits', visit)),
  }));
  return secondsOf(slowest, call.shards.length, call.dim, assumed);
}

/** A call of equal shards. `pairs`: queries of the whole batch, and as many keys. */
export function modelEqual({ objective, ranks, pairs, dim, dtype }, assumed) {
  const rows = Math.ceil(pairs / ranks);
  const shards = Array.from({ length: ranks }, () => ({ queries: rows, keys: rows }));
  // half way round, the lower and the higher half of the ranks take different pairs
  const seconds = modelCall({ objective, shards, dim, dtype }, assumed, [0, ranks - 1]);
  return { rows, bytes: bytesOfRank({ rows, dim, dtype }), ...seconds };
}

/**
 * The least rows of a rank at which a message of each pass takes no longer than the visit beside it. Neither the
 * number of ranks nor the dim matters much: both the work and the message of a visit grow with them.
 */
export function rowsThatHide({ dim, dtype = 'float32' }, { flops, bandwidth }) {
  const element = dtype === 'float32' ? 4 : 2;
  const forward = ((element * dim + 12) * flops) / (2 * dim * bandwidth);
  const backward = (((element + 4) * dim + 20) * flops) / (6 * dim * bandwidth);
  return Math.ceil(Math.max(forward, backward));
}
