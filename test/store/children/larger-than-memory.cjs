/**
 * One step on a file of features, for larger-than-memory.test.ts: makes the file, or computes loss and gradients on
 * it, as a store or as an array. Prints one line of JSON. Plain JavaScript on compiled code: the compiler of the other
 * children would take more memory than the limit allows.
 *
 * node larger-than-memory.cjs LIB '{ "how": "make" | "store" | "array", ... }'
 */
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');

const [lib, order] = process.argv.slice(2);
const { contrastiveLossAndGrad, FeatureStore } = require(lib);
const { how, folder, keys, queries, dim } = JSON.parse(order);

const chunkRows = 512;
const paths = { keys: `${folder}/keys.safetensors`, grads: `${folder}/grads.safetensors` };

/** Rows of length about one, from a linear congruence. */
function makeRows(rows, seed) {
  const data = new Float32Array(rows * dim);
  const scale = Math.sqrt(3 / dim) / 2 ** 31;
  let state = seed;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[at] = state * scale;
  }
  return { data, shape: [rows, dim] };
}

/** A digest of all rows; `rowsOf(begin, end)` gives some. */
function digest(rowsOf) {
  const hash = createHash('sha256');
  for (let begin = 0; begin < keys; begin += chunkRows)
    hash.update(rowsOf(begin, Math.min(begin + chunkRows, keys)));
  return hash.digest('hex');
}

async function make() {
  const writer = await FeatureStore.create(paths.keys, { dim });
  for (let row = 0; row < keys; row += chunkRows) {
    await writer.append(makeRows(Math.min(chunkRows, keys - row), row + 1));
  }
  await writer.commit();
  return {};
}

const options = {
  objective: 'infonce',
  labels: Int32Array.from({ length: queries }, (_, i) => (i * 7919) % keys),
  workspaceBytes: 32 * 2 ** 20,
  threads: 2,
};

const answerOf = ({ loss, logitScaleGrad, queryGrads }, keyDigest) => ({
  loss,
  logitScaleGrad,
  queryGrads: createHash('sha256').update(queryGrads).digest('hex'),
  keyGrads: keyDigest,
});

/** Whether arrays of these features are refused, as the test would prove nothing otherwise. */
function limitBites(store) {
  try {
    store.rows();
    return false;
  } catch (error) {
    return error.code === 'ERR_OUT_OF_MEMORY';
  }
}

function anonymousBytes() {
  const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line[1]) * 1024;
}

async function onStore() {
  const bank = await FeatureStore.open(paths.keys);
  const keyGrads = await FeatureStore.create(paths.grads, { rows: keys, dim, overwrite: true });
  const result = await contrastiveLossAndGrad(makeRows(queries, 5), bank, { ...options, out: { keyGrads } });
  const anonymous = anonymousBytes();
  const bites = limitBites(bank);
  await keyGrads.commit();
  const grads = await FeatureStore.open(paths.grads);
  const answer = answerOf(
    result,
    digest((begin, end) => grads.rows(begin, end).data),
  );
  return { ...answer, anonymous, bites };
}

async function onArray() {
  const bank = await FeatureStore.open(paths.keys);
  const result = await contrastiveLossAndGrad(makeRows(queries, 5), bank.rows(), options);
  return answerOf(
    result,
    digest((begin, end) => result.keyGrads.subarray(begin * dim, end * dim)),
  );
}

({ make, store: onStore, array: onArray })[how]().then((answer) => console.log(JSON.stringify(answer)));
