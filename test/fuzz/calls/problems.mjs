/**
 * Valid problems of every objective and option: features, options, and where wanted the caller's own outputs.
 * Equal random numbers give equal problems.
 *
 * Refuses nothing on purpose that the API accepts. Everything here is within docs/api.md; mistakes are
 * made elsewhere.
 */

import { fillFeatures } from './features.mjs';
import { countHardNegatives, hardNegativeRows, makeGuide, makeKeyLists, makeTeacher } from './lists.mjs';

const objectives = ['clip', 'infonce', 'ntxent', 'supcon', 'siglip'];
const allDirections = ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'];

/**
 * `{ queries, keys, options, gradient, tame }`. A tame problem has features and scales of a usual training,
 * and no bound on scratch memory. The library has no reason to refuse it.
 */
export function makeProblem(random, arena) {
  const tame = random.chance(0.5);
  const shape = makeShape(random);
  const { objective } = shape;
  const matrix = (name, rows, dim = shape.dim) => makeMatrix(random, arena, { name, rows, dim, tame });
  const queries = matrix('queries', shape.rows);
  const keys = shape.keys === 0 ? null : matrix('keys', shape.keys);
  const options = {
    ...(objective === 'clip' && random.chance(0.5) ? {} : { objective }),
    ...makeScale(random, objective, tame),
    ...makeTerms(random, arena, shape),
    ...makeResources(random, tame),
  };
  if (shape.hardRows > 0) options.hardNegatives = makeHardNegatives(random, arena, shape, matrix, options);
  Object.assign(options, makeOtherModels(random, { ...shape, tame }, matrix, options));
  const gradient = random.chance(0.7);
  Object.assign(options, makeGrad(random, arena, shape, options));
  return { queries, keys, options: withoutUndefined(options), gradient, tame };
}

function makeShape(random) {
  const objective = random.pick(objectives);
  // mostly one tile; now and then several tiles, on every instruction set
  const rows = random.weighted([
    [3, random.integer(1, 4)],
    [12, random.integer(5, 64)],
    [1, random.integer(200, 700)],
  ]);
  const dim = random.weighted([
    [2, random.integer(1, 4)],
    [5, random.integer(5, 40)],
    [1, random.integer(41, 130)],
  ]);
  const takesLists = objective === 'clip' || objective === 'infonce';
  const listed = takesLists && random.chance(0.2);
  const labelled = !listed && (objective === 'supcon' || (objective === 'infonce' && random.chance(0.4)));
  const directions =
    objective === 'infonce' && !labelled && !listed && random.chance(0.4)
      ? ['queryToKey', ...allDirections.slice(1).filter(() => random.chance(0.5))]
      : undefined;
  const free =
    listed || ((objective === 'infonce' || objective === 'siglip') && (directions?.length ?? 1) === 1);
  let keys = free && random.chance(0.6) ? random.integer(rows, 3 * rows) : rows;
  if ((listed || (objective === 'infonce' && labelled)) && random.chance(0.3)) keys = random.integer(1, rows);
  if (objective === 'supcon' && random.chance(0.4)) keys = 0;
  const hardCounts = takesLists && random.chance(0.25) ? countHardNegatives(random, rows) : [];
  const hardRows = hardCounts.reduce((sum, count) => sum + count, 0);
  return { objective, rows, keys, dim, labelled, listed, directions, hardCounts, hardRows };
}

function makeMatrix(random, arena, { name, rows, dim, tame }) {
  const dtype = random.weighted([
    [4, 'float32'],
    [1, 'float16'],
    [1, 'bfloat16'],
  ]);
  const rowStride = random.chance(0.3) ? dim + random.integer(1, 9) : dim;
  const length = (rows - 1) * rowStride + dim + (random.chance(0.2) ? random.integer(1, 50) : 0);
  const Type = dtype === 'float32' ? Float32Array : Uint16Array;
  let data = arena.take(name, Type, length);
  fillFeatures(random, data, dtype, tame);
  if (dtype === 'float16' && globalThis.Float16Array && random.chance(0.5)) {
    data = new globalThis.Float16Array(data.buffer, data.byteOffset, data.length);
  }
  const stated = dtype !== 'float32' || random.chance(0.2);
  return {
    data,
    [random.chance(0.8) ? 'shape' : 'dims']: [rows, dim],
    ...(stated && { [random.chance(0.8) ? 'dtype' : 'type']: dtype }),
    ...((rowStride !== dim || random.chance(0.1)) && { rowStride }),
  };
}

function makeScale(random, objective, tame) {
  const logitScale = random.maybe(0.7, () =>
    tame ? random.between(0.5, 100) : 10 ** random.between(-24.9, 29.9),
  );
  const bias = () => (tame ? random.between(-12, 2) : random.pick([1, -1]) * 10 ** random.between(-40, 38));
  return { logitScale, ...(objective === 'siglip' && { logitBias: random.maybe(0.5, bias) }) };
}

function makeIntegers(random, arena, name, count, high) {
  const array = arena.take(name, Int32Array, count);
  for (let i = 0; i < count; i++) array[i] = random.integer(0, high);
  return array;
}

function makeTerms(random, arena, shape) {
  const { objective, rows, keys, labelled, listed, directions } = shape;
  const integers = (name, count, high) => makeIntegers(random, arena, name, count, high);
  const terms = { directions };
  if (directions) terms.partition = random.maybe(0.5, () => random.pick(['joint', 'perDirection']));
  if (labelled) {
    const most = objective === 'supcon' ? random.pick([0, 3, rows]) : keys - 1;
    terms.labels = integers('labels', rows, most);
  }
  if (objective === 'supcon') return terms;
  if (random.chance(0.25)) {
    const most = random.pick([0, 5, 4 * rows]);
    terms.queryIds = integers('queryIds', rows, most);
    terms.keyIds = integers('keyIds', keys, most);
  }
  if (!(listed && objective === 'clip') && random.chance(0.2))
    terms.queryWeights = makeWeights(random, arena, rows);
  if (objective !== 'ntxent' && random.chance(0.2)) {
    const most = random.integer(0, Math.min(keys, 12));
    terms.excludePairs = makeKeyLists(random, arena, 'excluded', { rows, keys, least: 0, most });
  }
  if (listed) {
    const mayBeEmpty = (query) => terms.queryWeights?.[query] === 0;
    const most = random.integer(1, 6);
    terms.labels = makeKeyLists(random, arena, 'labels', { rows, keys, least: 1, most, mayBeEmpty });
  }
  if (objective === 'siglip') return terms;
  if (!listed && random.chance(0.2)) terms.falseNegativeMargin = random.pick([0, 0.1, -0.1, 1e30, -1e308]);
  const weighing = random.pick(['labelSmoothing', 'hardness', 'neither', 'neither', 'neither']);
  if (weighing === 'labelSmoothing' && !listed) terms.labelSmoothing = random.pick([0, 0.1, 0.999]);
  if (weighing === 'hardness') {
    terms.hardness = { strength: random.between(0.1, 20), on: random.pick(['inBatch', 'all']) };
  }
  return terms;
}

/** Negatives of one query alone; with ids now and then, where queries and keys have some. */
function makeHardNegatives(random, arena, { hardCounts, hardRows }, matrix, { queryIds }) {
  const withIds = queryIds !== undefined && random.chance(0.5);
  return {
    keys: matrix('hard', hardRows),
    ...hardNegativeRows(random, arena, hardCounts),
    ...(withIds && { ids: makeIntegers(random, arena, 'hard.ids', hardRows, 5) }),
  };
}

/** A guide and a teacher measure from one positive. A teacher knows no other denominator than that of the keys. */
function makeOtherModels(random, shape, matrix, { hardness }) {
  const { objective, listed, directions, hardRows } = shape;
  if (listed || (objective !== 'clip' && objective !== 'infonce')) return {};
  const mayTeach = directions === undefined && hardness === undefined && hardRows === 0;
  return {
    guide: random.maybe(0.2, () => makeGuide(random, shape, matrix)),
    teacher: mayTeach ? random.maybe(0.25, () => makeTeacher(random, shape, matrix)) : undefined,
  };
}

function makeWeights(random, arena, rows) {
  const weights = arena.take('queryWeights', Float32Array, rows);
  for (let i = 0; i < rows; i++) weights[i] = random.chance(0.2) ? 0 : random.between(0, 2);
  weights[random.integer(0, rows - 1)] = random.pick([1, 1e-40, 1e30]);
  return weights;
}

function makeResources(random, tame) {
  return {
    perRow: random.maybe(0.4, () => random.chance(0.8)),
    compute: random.maybe(0.2, () => random.pick(['float32', 'bfloat16'])),
    gradientFilter: random.maybe(0.1, () => random.pick([0, 1e-6, 0.5])),
    threads: random.maybe(0.3, () => random.integer(1, 4)),
    workspaceBytes: tame ? undefined : random.maybe(0.2, () => Math.ceil(10 ** random.between(0, 9))),
    backend: random.maybe(0.2, () => random.pick(['auto', 'cpu'])),
    device: random.maybe(0.05, () => random.integer(0, 3)),
  };
}

/**
 * `grad` and `out`. Frozen features have no output. A bank of keys comes only where keys are not compared
 * with keys.
 */
function makeGrad(random, arena, { objective, rows, keys, dim, directions, hardRows }) {
  const wanted = { queries: rows, keys, hardNegatives: hardRows };
  const grad = random.maybe(0.4, () => ({}));
  if (grad) {
    const anchors = objective === 'ntxent' || objective === 'supcon' || directions?.includes('keyToKey');
    if (random.chance(0.3)) grad.queries = random.chance(0.5);
    if (keys > 0 && !anchors && random.chance(0.3)) grad.keys = { rows: random.integer(1, keys) };
    else if (random.chance(0.3)) grad.keys = random.chance(0.5);
    if (random.chance(0.3)) grad.hardNegatives = random.chance(0.5);
    if (grad.queries === false) wanted.queries = 0;
    if (grad.keys === false) wanted.keys = 0;
    else if (grad.keys?.rows) wanted.keys = grad.keys.rows;
    if (!(grad.hardNegatives ?? grad.keys !== false)) wanted.hardNegatives = 0;
  }
  if (random.chance(0.5)) return { grad };
  const out = {};
  const place = (name, count) => {
    if (count > 0 && random.chance(0.8))
      out[name] = arena.take(`out.${name}`, Float32Array, count * dim, true);
  };
  place('queryGrads', wanted.queries);
  place('keyGrads', wanted.keys);
  place('hardNegativeGrads', wanted.hardNegatives);
  return { grad, out };
}

function withoutUndefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
