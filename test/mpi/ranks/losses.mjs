/**
 * Losses of all ranks, with uneven shards, against the call of one process over the whole batch. Every rank
 * computes both.
 */
import { contrastiveLossAndGrad } from 'infcl';
import { mpi } from 'infcl/mpi';
import { plain, say } from './rank.mjs';

const group = await mpi({ timeout: 20_000 });
const { rank, size } = group;
const [rows, dim] = [61, 24];
const cuts = Array.from({ length: size + 1 }, (_, r) =>
  Math.floor((rows * r * (r + 1)) / (size * (size + 1))),
);
const [begin, end] = [cuts[rank], cuts[rank + 1]];

const numbers = (seed, length) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed * 1000 + i * 7.3) / 3);
const matrix = (data) => ({ data, shape: [data.length / dim, dim] });
const queries = numbers(1, rows * dim);
const keys = numbers(2, rows * dim);
const own = (data, width = dim) => data.subarray(begin * width, end * width);
const ids = Int32Array.from({ length: rows }, (_, i) => i % 17);
const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % rows);
const weights = Float32Array.from({ length: rows }, (_, i) => 1 + (i % 3));
const hard = numbers(3, 2 * rows * dim);

/** Options of the whole batch; those of a shard follow from them. */
const problems = {
  clip: {},
  infonce: { objective: 'infonce', labels, queryWeights: weights },
  'infonce in all directions': {
    objective: 'infonce',
    directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'],
  },
  ntxent: { objective: 'ntxent' },
  supcon: { objective: 'supcon', labels: ids },
  siglip: { objective: 'siglip' },
  ids: { queryIds: ids, keyIds: ids },
  margin: { objective: 'infonce', labels, falseNegativeMargin: 0.05 },
  smoothing: { labelSmoothing: 0.1 },
  hardness: { hardness: { strength: 2, on: 'inBatch' } },
  'hard negatives': { hardNegatives: { keys: matrix(hard), perQuery: 2 } },
  'frozen keys': { grad: { keys: false } },
};

function optionsOfShard({ labels, queryIds, keyIds, queryWeights, hardNegatives, ...others }) {
  return {
    ...others,
    ...(labels && { labels: own(labels, 1) }),
    ...(queryIds && { queryIds: own(queryIds, 1), keyIds: own(keyIds, 1) }),
    ...(queryWeights && { queryWeights: own(queryWeights, 1) }),
    ...(hardNegatives && { hardNegatives: { keys: matrix(own(hard, 2 * dim)), perQuery: 2 } }),
  };
}

const wrong = [];
let calls = 0;
let bits = 0;
const far = (found, expected) => {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
  return found.some((x, i) => !(Math.abs(x - expected[i]) <= 2e-5 * largest));
};

for (const [name, options] of Object.entries(problems)) {
  const whole = await contrastiveLossAndGrad(matrix(queries), matrix(keys), { logitScale: 10, ...options });
  const shard = { logitScale: 10, threads: 1, ...optionsOfShard(options), group };
  const call = () => contrastiveLossAndGrad(matrix(own(queries)), matrix(own(keys)), shard);
  const [first, second] = [await call(), await call()];
  calls += 2;
  const numbersOf = ({ loss, accuracy, logitScaleGrad }) => [loss, accuracy, logitScaleGrad];
  if (far(numbersOf(first), numbersOf(whole)))
    wrong.push(`${name}: ${numbersOf(first)}, not ${numbersOf(whole)}`);
  if (far(first.queryGrads, own(whole.queryGrads))) wrong.push(`${name}: gradients of queries`);
  if (options.grad?.keys !== false && far(first.keyGrads, own(whole.keyGrads)))
    wrong.push(`${name}: gradients of keys`);
  if (options.hardNegatives && far(first.hardNegativeGrads, own(whole.hardNegativeGrads, 2 * dim)))
    wrong.push(`${name}: gradients of hard negatives`);
  if (first.queryGrads.some((x, i) => x !== second.queryGrads[i]))
    wrong.push(`${name}: other bits the second time`);
  for (const word of new Uint32Array(Float64Array.of(...numbersOf(first)).buffer))
    bits = (Math.imul(bits, 31) + word) | 0;
}

// ranks that make different calls hear of it, and the group goes on
const loss = (signal) =>
  contrastiveLossAndGrad(matrix(own(queries)), matrix(own(keys)), { group, threads: 1, signal });
const mixed = await (rank === 1 ? group.barrier() : loss()).then(() => null, plain);
// an abort on one rank ends the call on all
const controller = new AbortController();
controller.abort(new Error('enough'));
const aborted = await (rank === 0 ? loss(controller.signal) : loss()).then(() => null, plain);
if (rank === 0 ? aborted?.message !== 'enough' : aborted?.code !== 'ERR_RANK_FAILED')
  wrong.push(`abort: ${JSON.stringify(aborted)}`);
const after = await loss().then(() => null, plain);

await group.close();
say({ rank, calls, wrong, bits, mixed, after });
