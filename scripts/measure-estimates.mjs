/**
 * `plan().estimatedSeconds` beside the time of calls, for many shapes:
 *
 *     npm run build && node scripts/measure-estimates.mjs
 *     node scripts/measure-estimates.mjs clip few     # the cases whose names have one of these words
 *     node scripts/measure-estimates.mjs --busy       # for a machine with other work: one thread, processor seconds
 *
 * Each case runs in processes of its own: three of them, whose first calls count, and further calls in each. Estimates
 * are taken just before, in the same process. Prints medians, and estimate / measured of the first and of later calls.
 * Other work on the machine changes both numbers, so wait for an idle machine. With --busy the numbers are rough.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { contrastiveLoss, contrastiveLossAndGrad, plan } from '../dist/index.js';

const objectives = ['clip', 'infonce', 'ntxent', 'supcon', 'siglip'];
const shapes = [
  ['square', 1024, 1024, 256],
  ['square', 4096, 4096, 256],
  ['square, narrow', 8192, 8192, 16],
  ['square, wide', 1024, 1024, 2048],
  ['few queries', 32, 65_536, 128],
  ['few queries', 256, 131_072, 64],
  ['few queries, wide', 64, 16_384, 1024],
  ['one query', 1, 65_536, 256],
  ['few keys', 65_536, 64, 128],
  ['few keys', 131_072, 256, 64],
  ['small', 64, 64, 64],
  ['small', 256, 256, 128],
];

/** Paired objectives need as many keys as queries. */
const cases = shapes.flatMap(([shape, queries, keys, dim]) =>
  objectives
    .filter((objective) => queries === keys || ['infonce', 'siglip'].includes(objective))
    .flatMap((objective) =>
      [true, false].map((gradient) => ({ shape, objective, queries, keys, dim, gradient })),
    ),
);

const nameOf = ({ shape, objective, queries, keys, dim, gradient }) =>
  `${objective} ${gradient ? 'gradient' : 'loss'}, ${shape}: ${queries} x ${keys} x ${dim}`;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function unitRows(rows, dim, seed) {
  let state = seed;
  const data = Float32Array.from({ length: rows * dim }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  for (let begin = 0; begin < data.length; begin += dim) {
    const row = data.subarray(begin, begin + dim);
    let sum = 0;
    for (const x of row) sum += x * x;
    for (let at = 0; at < dim; at++) row[at] /= Math.sqrt(sum);
  }
  return { data, shape: [rows, dim] };
}

/** In a child: the estimate, the seconds of the first call, and those of later ones. */
async function measure({ objective, queries, keys, dim, gradient, busy }) {
  const [q, k] = [unitRows(queries, dim, 1), unitRows(keys, dim, 2)];
  const threads = busy ? 1 : undefined;
  const options = { objective, logitScale: 10, threads };
  if (objective === 'supcon') options.labels = Int32Array.from({ length: queries }, (_, i) => i % 97);
  if (objective === 'infonce' && queries > keys)
    options.labels = Int32Array.from({ length: queries }, (_, i) => i % keys);
  if (objective === 'siglip' && queries > keys) return null;
  const { estimatedSeconds } = plan({ objective, queries, keys, dim, gradient, threads });
  const call = gradient ? contrastiveLossAndGrad : contrastiveLoss;
  const seconds = [];
  for (let round = 0; round < 6; round++) {
    const began = busy ? process.cpuUsage() : performance.now();
    await call(q, k, options);
    if (busy) {
      const { user, system } = process.cpuUsage(began);
      seconds.push((user + system) / 1e6);
    } else {
      seconds.push((performance.now() - began) / 1000);
    }
  }
  return { estimatedSeconds, first: seconds[0], later: median(seconds.slice(1)) };
}

function measureInChildren(given) {
  const runs = (given.busy ? [0] : [0, 1, 2]).map(() => {
    const child = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), '--child', JSON.stringify(given)],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    if (child.status !== 0) throw new Error(`the process of ${nameOf(given)} ended with ${child.status}`);
    return JSON.parse(child.stdout);
  });
  if (runs[0] === null) return null;
  const of = (name) => median(runs.map((run) => run[name]));
  return { estimated: of('estimatedSeconds'), first: of('first'), later: of('later') };
}

function main(words, busy) {
  console.log(`${os.cpus()[0]?.model}, ${os.availableParallelism()} processors, Node ${process.version}`);
  console.log('estimated ms | first call ms | later calls ms | estimate / first | estimate / later | case');
  const ratios = { first: [], later: [] };
  for (const given of cases) {
    if (words.length > 0 && !words.some((word) => nameOf(given).includes(word))) continue;
    const found = measureInChildren({ ...given, busy });
    if (found === null) continue;
    const { estimated, first, later } = found;
    ratios.first.push(estimated / first);
    ratios.later.push(estimated / later);
    const cells = [1e3 * estimated, 1e3 * first, 1e3 * later, estimated / first, estimated / later];
    console.log(`${cells.map((cell) => cell.toPrecision(3).padStart(8)).join(' | ')} | ${nameOf(given)}`);
  }
  for (const [name, values] of Object.entries(ratios)) {
    const within = values.filter((ratio) => ratio > 1 / 1.5 && ratio < 1.5).length;
    console.log(
      `${name}: ${within} of ${values.length} within 1.5 times; from ${Math.min(...values).toFixed(2)} to ` +
        `${Math.max(...values).toFixed(2)}`,
    );
  }
}

const [, , flag, json] = process.argv;
if (flag === '--child') console.log(JSON.stringify(await measure(JSON.parse(json))));
else
  main(
    process.argv.slice(2).filter((word) => word !== '--busy'),
    process.argv.includes('--busy'),
  );
