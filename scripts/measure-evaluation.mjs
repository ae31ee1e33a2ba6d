/**
 * Seconds of each function of infcl/evaluation on random features, for the table of cost in docs/evaluation.md:
 *
 *     npm run build:ts && node scripts/measure-evaluation.mjs
 *     node scripts/measure-evaluation.mjs topK ranks     # the cases whose names begin so
 *
 * Prints the machine, then one line a function: the least wall-clock and processor seconds of three calls. Other work
 * on the machine makes the numbers larger.
 */
import os from 'node:os';
import {
  alignment,
  effectiveRank,
  linearProbe,
  mineHardNegatives,
  modalityGap,
  ranks,
  retrievalMetrics,
  topK,
  uniformity,
  zeroShotAccuracy,
} from '../dist/evaluation/index.js';

const [rows, dim, classes, k] = [20_000, 256, 100, 100];

/** Normal numbers around `centre(row, d)`, by a generator with a seed. */
function features(count, seed, centre = () => 0) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const data = Float32Array.from(
    { length: count * dim },
    (_, at) => normal() + centre(Math.floor(at / dim), at % dim),
  );
  return { data, shape: [count, dim] };
}

/** Every row divided by its length. */
function normalised({ data, shape }) {
  for (let begin = 0; begin < data.length; begin += dim) {
    const row = data.subarray(begin, begin + dim);
    const length = Math.hypot(...row);
    row.set(row.map((x) => x / length));
  }
  return { data, shape };
}

const [x, y, classFeatures] = [features(rows, 1), features(rows, 2), features(classes, 3)].map(normalised);
const labels = Int32Array.from({ length: rows }, (_, row) => row % classes);
const clusters = features(rows, 4, (row, d) => 8 * classFeatures.data[labels[row] * dim + d]);
const search = {
  indices: Int32Array.from({ length: rows * k }, (_, at) => Math.floor(at / k) + 977 * (at % k)),
  shape: [rows, k],
};
const ofRanks = { rank: Float64Array.from({ length: rows }, (_, row) => 1 + ((row * 7919) % rows)) };

const keyIds = Int32Array.from({ length: rows }, (_, row) => row % (rows / 5));
const cases = {
  'topK, k 10': () => topK(x, y, 10),
  'topK, k 100': () => topK(x, y, 100),
  ranks: () => ranks(x, y),
  'ranks, 5 keys of each id': () => ranks(x, y, { keyIds }),
  'retrievalMetrics, k 100': () => retrievalMetrics(search),
  'retrievalMetrics of ranks': () => retrievalMetrics(ofRanks),
  'mineHardNegatives, 5 with a margin': () => mineHardNegatives(x, y, { count: 5, margin: 0 }),
  'mineHardNegatives, 5 of the best 50': () => mineHardNegatives(x, y, { count: 5, range: [0, 50] }),
  alignment: () => alignment(x, y),
  modalityGap: () => modalityGap(x, y),
  effectiveRank: () => effectiveRank(x),
  uniformity: () => uniformity(x),
  'zeroShotAccuracy, 100 classes': () => zeroShotAccuracy(x, classFeatures, labels),
  'linearProbe, 100 classes': async () => {
    const probe = await linearProbe(clusters, labels, clusters, labels, { l2: 1e-3 });
    return `${probe.evaluations} evaluations, loss ${probe.loss}, converged ${probe.converged}`;
  },
};

console.log(
  `${os.cpus()[0].model}, ${os.availableParallelism()} threads, load ${os.loadavg()[0].toFixed(1)}, Node ${process.versions.node}`,
);
console.log(`${rows} rows, ${dim} features`);
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(cases)) {
  if (wanted.length > 0 && !wanted.some((word) => name.startsWith(word))) continue;
  const [walls, processors] = [[], []];
  let result;
  for (let turn = 0; turn < 3; turn++) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    result = await run();
    const { user, system } = process.cpuUsage(used);
    walls.push((performance.now() - began) / 1e3);
    processors.push((user + system) / 1e6);
  }
  const shown = typeof result === 'object' ? '' : `: ${result}`;
  console.log(
    `${name}: ${Math.min(...walls).toFixed(2)} s, ${Math.min(...processors).toFixed(2)} s of processors${shown}`,
  );
}
