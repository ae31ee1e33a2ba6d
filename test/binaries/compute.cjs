/**
 * Computes every objective with an installed infcl and writes the bits of all results as JSON: `node compute.cjs FILE`.
 * Two binaries that do the same arithmetic write the same bits. Plain JavaScript without other packages, for every runtime
 * and operating system; writes a file, because not every emulated system has pipes. The folder that holds this file
 * needs node_modules/infcl.
 */
const { createHash } = require('node:crypto');
const { writeFileSync } = require('node:fs');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { backends, contrastiveLossAndGrad, contrastiveLossAndGradSync } = require('infcl');

/** Numbers in [-0.5, 0.5) that every machine makes alike: integers and one exact division. */
function random(seed) {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
}

function matrix(rows, dim, seed) {
  const next = random(seed);
  return { data: Float32Array.from({ length: rows * dim }, next), shape: [rows, dim] };
}

/** The upper half of a float32 is a bfloat16. */
function bfloat16({ data, shape }) {
  const words = new Uint32Array(data.buffer);
  return { data: Uint16Array.from(words, (word) => word >>> 16), shape, dtype: 'bfloat16' };
}

/** Small integers and simple fractions, as bits of float16. */
function float16({ data, shape }) {
  const bits = Uint16Array.from(data, (x) => (x < 0 ? 0x8000 : 0) | (0x3400 + (Math.abs(x) * 1024) / 2));
  return { data: bits, shape, dtype: 'float16' };
}

const numbered = (count, classes) => Int32Array.from({ length: count }, (_, at) => (at * 7) % classes);
const [rows, dim] = [517, 67]; // more than one tile, and a remainder on every instruction set
const wider = 700;

const queries = matrix(rows, dim, 1);
const keys = matrix(rows, dim, 2);
const manyKeys = matrix(wider, dim, 3);
const hardNegatives = { keys: matrix(rows * 2, dim, 4), perQuery: 2 };

/** Name, queries, keys and options of each case. */
const cases = [
  ['clip', queries, keys, {}],
  ['clip with options', queries, keys, { hardNegatives, falseNegativeMargin: 0.25, labelSmoothing: 0.1 }],
  ['infonce', queries, manyKeys, { objective: 'infonce' }],
  ['infonce with labels', queries, manyKeys, { objective: 'infonce', labels: numbered(rows, wider) }],
  ['directions', queries, keys, { directions: ['queryToKey', 'queryToQuery', 'keyToKey'] }],
  ['ntxent', queries, keys, { objective: 'ntxent', hardness: { strength: 2, on: 'inBatch' } }],
  ['supcon', queries, null, { objective: 'supcon', labels: numbered(rows, 40) }],
  ['siglip', queries, keys, { objective: 'siglip', logitBias: -2 }],
  ['ids', queries, keys, { queryIds: numbered(rows, 90), keyIds: numbered(rows, 90) }],
  ['filter', queries, keys, { gradientFilter: 1e-3, logitScale: 60 }],
  ['bfloat16 features', bfloat16(queries), bfloat16(keys), { compute: 'float32' }],
  ['bfloat16 products', bfloat16(queries), bfloat16(keys), { compute: 'bfloat16' }],
  ['float16 features', float16(queries), float16(keys), {}],
];
const optionsOf = (own) => ({ logitScale: 10, perRow: true, threads: 3, ...own });

/** The 64 bits of a number, and a hash of the bytes of an array. */
const bitsOf = (number) => Buffer.from(Float64Array.of(number).buffer).toString('hex');
const hashOf = ({ buffer, byteOffset, byteLength }) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

/** Two sums over an array, for machines that round otherwise: of the magnitudes, and of the numbers with signs that vary. */
function sumsOf(array) {
  const next = random(9);
  let [magnitudes, signed] = [0, 0];
  for (const number of array) {
    magnitudes += Math.abs(number);
    signed += next() < 0 ? -number : number;
  }
  return [magnitudes, signed];
}

function summarize({ rows: perRow, ...result }) {
  const { loss, accuracy, logitScaleGrad, logitBiasGrad, stats, ...arrays } = result;
  const numbers = Object.entries({ loss, accuracy, logitScaleGrad, logitBiasGrad });
  const named = [
    ...Object.entries(arrays),
    ...Object.entries(perRow).map(([name, array]) => [`rows.${name}`, array]),
  ];
  return {
    isa: stats.isa,
    numbers: Object.fromEntries(numbers.map(([name, number]) => [name, bitsOf(number)])),
    hashes: Object.fromEntries(named.map(([name, array]) => [name, hashOf(array)])),
    sums: Object.fromEntries(named.map(([name, array]) => [name, sumsOf(array)])),
  };
}

const compute = () =>
  cases.map(([name, q, k, own]) => ({
    name,
    ...summarize(contrastiveLossAndGradSync(q, k, optionsOf(own))),
  }));

async function computeAsync() {
  const [name, q, k, own] = cases[0];
  return { name, ...summarize(await contrastiveLossAndGrad(q, k, optionsOf(own))) };
}

/** The first case, computed by a worker thread. */
const computeInWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(__filename);
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => code !== 0 && reject(new Error(`a worker ended with exit code ${code}`)));
  });

async function main(file) {
  const answer = {
    runtime: process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.versions.node}`,
    glibc: process.report?.getReport().header.glibcVersionRuntime,
    cuda: backends().find(({ name }) => name === 'cuda').reason,
    cases: compute(),
    async: await computeAsync(),
    workers: await Promise.all([computeInWorker(), computeInWorker(), computeInWorker()]),
  };
  const addons = Object.keys(require.cache).filter((path) => path.endsWith('.node')); // loaded by the first call
  writeFileSync(file, JSON.stringify({ ...answer, addons }));
}

if (isMainThread) {
  main(process.argv[2]).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
} else {
  computeAsync().then((answer) => parentPort.postMessage(answer));
}
