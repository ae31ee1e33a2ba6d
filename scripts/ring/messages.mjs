/**
 * What ranks send to their neighbours in one call: the messages of docs/ring.md, in bytes, from shapes and options
 * alone. Written from that page and not from the engine, so that a test can hold the bytes that the engine counts
 * (stats.ring) against them.
 */

/** A shard travels in two pieces. */
const pieces = 2;
/** Each part of a message is rounded up to so many bytes. */
const alignment = 64;

const bytesOfElement = { float32: 4, float16: 2, bfloat16: 2 };

const crossed = (gathers) => ({ rows: 'queries', columns: 'keys', gathers });
const within = (side) => ({ rows: side, columns: side, gathers: true });
const allSides = [crossed(true), within('queries'), within('keys')];

/** The similarities of an objective. `gathers`: whether sums along the columns enter the loss. */
const similarities = {
  clip: () => [crossed(true)],
  infonce: () => [crossed(false)],
  siglip: () => [crossed(false)],
  ntxent: () => allSides,
  supcon: (withKeys) => (withKeys ? allSides : [within('queries')]),
};

export const objectives = Object.keys(similarities);

function directionsOf(directions) {
  const all = [];
  if (directions.includes('queryToKey') || directions.includes('keyToQuery'))
    all.push(crossed(directions.includes('keyToQuery')));
  if (directions.includes('queryToQuery')) all.push(within('queries'));
  if (directions.includes('keyToKey')) all.push(within('keys'));
  return all;
}

/** Bytes of some parts, each `[there, bytes a row]`, of a piece. */
const sumOfParts = (rows, parts) =>
  parts.reduce(
    (sum, [there, bytes]) => sum + (there ? Math.ceil((rows * bytes) / alignment) * alignment : 0),
    0,
  );

/** Rows of a piece, and how many of them are among the first `rows` of the shard. */
function pieceOf(shardRows, piece, rows = shardRows) {
  const begin = Math.floor((shardRows * piece) / pieces);
  const end = Math.floor((shardRows * (piece + 1)) / pieces);
  return Math.max(0, Math.min(end, rows) - begin);
}

/**
 * The two parts of a guest's message: what travels from home to the last visit, and what begins at the first visit and
 * comes home.
 */
function messageOf(phase, similarity, call) {
  const { dim, dtype, ids, margin, smoothing } = call;
  const classes = call.objective === 'supcon';
  const { gathers } = similarity;
  const forward = phase === 'forward';
  const backward = phase === 'backward';
  const gradientRows = ({ grads, [similarity.columns]: rows }, piece) =>
    backward ? pieceOf(rows, piece, grads[similarity.columns]) : 0;
  const trained = call.shards.some(({ grads }) => grads[similarity.columns] > 0);
  return {
    out: (shard, piece) =>
      sumOfParts(pieceOf(shard[similarity.columns], piece), [
        [true, dim * bytesOfElement[dtype]],
        [ids && phase !== 'limits', 4],
        [classes, 4],
        [margin && gathers && phase !== 'limits', 4],
        // backward: log-sum-exp as a sum and a shift, and a weight
        [backward && gathers, 8],
        [backward && gathers, 4],
        [backward && gathers, 8],
        [backward && gathers && smoothing, 4],
        [backward && gathers && classes, 4],
      ]),
    home: (shard, piece) =>
      sumOfParts(pieceOf(shard[similarity.columns], piece), [
        [forward && gathers, 8],
        [forward && gathers, 4],
        [forward && gathers && smoothing, 8],
        [forward && gathers && smoothing, 8],
        [forward && gathers && classes, 8],
      ]) + sumOfParts(gradientRows(shard, piece), [[true, dim * 4]]),
    comesHome: (forward && gathers) || (backward && trained),
  };
}

/** The hops of one round, as one rank sends them: bytes, and the pairs that the rank visits beside the hop. */
function roundOf(phase, similarity, call, rank) {
  const { shards } = call;
  const ranks = shards.length;
  const triangle = similarity.rows === similarity.columns;
  const lastStep = triangle ? Math.floor(ranks / 2) : ranks - 1;
  const owner = (step) => (rank - step + ranks) % ranks;
  const message = messageOf(phase, similarity, call);
  const rows = shards[rank][similarity.rows];
  const own = triangle ? (rows * (rows - 1)) / 2 : rows * shards[rank][similarity.columns];
  const hops = [];
  const visits = [own];
  for (let step = 1; step <= lastStep; step++) {
    for (let piece = 0; piece < pieces; piece++) {
      const leaving = shards[owner(step - 1)];
      hops.push(message.out(leaving, piece) + (step > 1 ? message.home(leaving, piece) : 0));
      const columns = pieceOf(shards[owner(step)][similarity.columns], piece);
      // half way round an even ring, two ranks have each other's guests, and share the pairs
      const shared = triangle && 2 * step === ranks;
      const met = shared ? (rank < owner(step) ? pieceOf(rows, 0) : piece === 1 ? rows : 0) : rows;
      visits.push(met * columns);
    }
  }
  for (let piece = 0; message.comesHome && piece < pieces; piece++) {
    hops.push(message.home(shards[owner(lastStep)], piece));
    visits.push(0);
  }
  return { phase, hops, visits };
}

/**
 * The rounds of a call, in their order, as one rank takes part in them.
 *
 *   objective   one of `objectives`, or 'infonce' with `directions`
 *   shards      of each rank { queries, keys }: rows; and { queryGrads, keyGrads }: how many of them get a gradient,
 *               by default all, and 0 for a frozen side
 *   gradient    false: the loss alone
 *   ids, margin, smoothing, labels   whether these options are given
 */
export function roundsOf(given, rank) {
  const shards = given.shards.map(({ queries, keys, queryGrads = queries, keyGrads = keys }) => ({
    queries,
    keys,
    grads: { queries: queryGrads, keys: keyGrads },
  }));
  const call = { dtype: 'float32', gradient: true, ...given, shards };
  const list = call.directions
    ? directionsOf(call.directions)
    : similarities[call.objective](shards[0].keys > 0);
  const rounds = (phase, all) => all.map((similarity) => roundOf(phase, similarity, call, rank));
  return [
    ...rounds('limits', call.margin && call.labels ? [crossed(false)] : []),
    ...rounds('forward', list),
    ...rounds('backward', call.gradient ? list : []),
  ];
}

/** Bytes that a rank sends to its neighbours, by phase. */
export function bytesSent(call, rank) {
  const sent = { limits: 0, forward: 0, backward: 0 };
  for (const { phase, hops } of roundsOf(call, rank)) for (const bytes of hops) sent[phase] += bytes;
  return sent;
}
