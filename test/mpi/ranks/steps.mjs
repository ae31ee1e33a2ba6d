/**
 * Steps of all ranks, with uneven parts of the batch, against the step of one process over the whole batch. Every rank
 * computes both. Then an encoder of the last rank throws, in each phase. At last, a search of the keys of all ranks.
 */
import { chunkedStep, ranks, topK } from 'infcl';
import { mpi } from 'infcl/mpi';
import { plain, say } from './rank.mjs';

const group = await mpi({ timeout: 20_000 });
const { rank, size } = group;
const [rows, dim] = [47, 12];
const cuts = Array.from({ length: size + 1 }, (_, r) =>
  Math.floor((rows * r * (r + 1)) / (size * (size + 1))),
);

const numbers = (seed, length) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed * 1000 + i * 7.3) / 3);
const left = numbers(1, rows * dim);
const right = numbers(2, rows * dim);

/** A linear layer, in float64 but for its features. `failing` names the method that throws. */
function layer(seed, failing) {
  const weights = Float64Array.from(numbers(seed, dim * dim));
  const grads = new Float64Array(dim * dim);
  const fail = (method) => {
    if (method === failing) throw new Error(`no ${method} here`);
  };
  return {
    grads,
    encode(x) {
      fail('encode');
      const data = new Float32Array(x.length);
      for (let at = 0; at < x.length; at++) {
        const [row, d] = [Math.floor(at / dim), at % dim];
        for (let i = 0; i < dim; i++) data[at] += x[row * dim + i] * weights[i * dim + d];
      }
      return { data, shape: [x.length / dim, dim] };
    },
    backward(x, { data }) {
      fail('backward');
      for (let at = 0; at < x.length; at++) {
        const [row, d] = [Math.floor(at / dim), at % dim];
        for (let i = 0; i < dim; i++) grads[i * dim + d] += x[row * dim + i] * data[at];
      }
    },
  };
}

/** Chunks of at most 7 rows. */
function* chunksOf(all, begin, end) {
  for (let row = begin; row < end; row += 7) yield all.subarray(row * dim, Math.min(end, row + 7) * dim);
}

async function step([begin, end], more, failing) {
  const encoders = [layer(3, failing), layer(4)];
  const result = await chunkedStep({
    queries: { encoder: encoders[0], chunks: () => chunksOf(left, begin, end) },
    keys: { encoder: encoders[1], chunks: () => chunksOf(right, begin, end) },
    ...more,
  });
  return { result, grads: encoders.map(({ grads }) => grads) };
}

const problems = {
  clip: { loss: { logitScale: 5 } },
  siglip: { loss: { objective: 'siglip', logitScale: 5 }, normalize: true },
  prefixes: { loss: { logitScale: 5 }, normalize: true, matryoshka: { dims: [12, 6, 3] } },
};

const wrong = [];
const own = [cuts[rank], cuts[rank + 1]];
let losses = '';
for (const [name, more] of Object.entries(problems)) {
  const whole = await step([0, rows], more);
  const part = await step(own, { ...more, loss: { ...more.loss, threads: 1 }, group });
  await Promise.all(part.grads.map((grads) => group.allReduce(grads)));
  losses += `${part.result.loss} `;
  if (!(Math.abs(part.result.loss / whole.result.loss - 1) < 1e-6)) wrong.push(`${name}: loss`);
  part.grads.forEach((grads, tower) => {
    const expected = whole.grads[tower];
    const far = Math.hypot(...grads.map((g, i) => g - expected[i])) / Math.hypot(...expected);
    if (!(far < 1e-5)) wrong.push(`${name}: gradients of tower ${tower} are off by ${far}`);
  });
}

const failures = [];
for (const method of ['encode', 'backward']) {
  const failing = rank === size - 1 ? method : undefined;
  failures.push(await step(own, { loss: { threads: 1 }, group }, failing).then(() => null, plain));
}
const after = await step(own, { loss: { threads: 1 }, group }).then(() => null, plain);

const matrix = (all, [begin, end]) => ({
  data: all.subarray(begin * dim, end * dim),
  shape: [end - begin, dim],
});
const whole = [matrix(left, [0, rows]), matrix(right, [0, rows])];
const part = [matrix(left, own), matrix(right, own)];
const same = (found, all, width) => found.every((x, i) => x === all[own[0] * width + i]);
const [best, allBest] = [await topK(...part, 5, { group }), await topK(...whole, 5)];
if (!same(best.indices, allBest.indices, 5) || !same(best.scores, allBest.scores, 5)) wrong.push('topK');
const [places, allPlaces] = [await ranks(...part, { group }), await ranks(...whole)];
if (!same(places.rank, allPlaces.rank, 1)) wrong.push('ranks');

await group.close();
say({ rank, size, wrong, losses, failures, after });
