/**
 * Whole problems from a few numbers: a recipe says how many rows, which objective and which options; everything else
 * (features, labels, ids, weights) comes from the hash of inputs.ts. Recipes are data, so that the table of exactness,
 * the golden file and the property tests can speak of the same problems; goldens/make-goldens.py restates this file.
 */
import type { HardNegativeRows, KeyLists } from '../../lib';
import type { DenseOptions, DirectionName, ObjectiveName } from './dense';
import { coarsen, type FloatMatrix, hash, makeLabels, makeLists, makePair, rowScale, unit } from './inputs';

export interface Recipe {
  objective: ObjectiveName;
  rows: number;
  /** 0: none (supcon). */
  keys: number;
  dim: number;
  logitScale: number;
  seed: number;
  /** Eighths of each positive key that are its query. */
  alike?: number;
  /** infonce: random positives from this seed; default: row i's positive is key i. */
  labelSeed?: number | null;
  /** clip, infonce: the most positives of a query, in lists. Queries of weight 0 then have none. */
  positives?: number;
  /** supcon: number of classes; default a third of the rows. */
  classes?: number;
  /** Number of distinct ids of queries and keys; default: no ids. */
  ids?: number;
  /** The most pairs of a query that are excluded by a list. */
  excluded?: number;
  /** Hard negatives per query. */
  hardPerQuery?: number;
  /** The most hard negatives of a query, where their numbers differ. */
  hardMost?: number;
  /** Whether hard negatives have ids, as many distinct ones as queries and keys. */
  hardIds?: boolean;
  /** Weights of 0 to 7 quarters. */
  weights?: boolean;
  /** Features with so few bits that every dot product is exact in float32, and ties are common. */
  coarse?: boolean;
  logitBias?: number;
  falseNegativeMargin?: number;
  /** Features of a guide, of so few bits that its limits are exact; `hard`: hard negatives too. */
  guide?: { dim: number; margin?: number; relative?: boolean; hard?: boolean; alike?: number };
  teacher?: { dim: number; logitScale: number; weight: number; alike?: number };
  directions?: readonly DirectionName[];
  partition?: 'joint' | 'perDirection';
  labelSmoothing?: number;
  hardness?: { strength: number; on: 'inBatch' | 'hard' | 'all' };
}

/** Options that mean the same to the oracle and to the public API. */
export type ProblemOptions = Omit<
  DenseOptions,
  | 'labels'
  | 'queryIds'
  | 'keyIds'
  | 'excludePairs'
  | 'queryWeights'
  | 'hardNegatives'
  | 'hardnessAt'
  | 'guide'
  | 'teacher'
> & {
  labels?: Int32Array | KeyLists;
  queryIds?: Int32Array;
  keyIds?: Int32Array;
  excludePairs?: KeyLists;
  queryWeights?: Float32Array;
  guide?: {
    queries: FloatMatrix;
    keys: FloatMatrix;
    hardNegatives?: FloatMatrix;
    margin?: number;
    relative?: boolean;
  };
  teacher?: { queries: FloatMatrix; keys: FloatMatrix; logitScale: number; weight: number };
  hardNegatives?: HardNegativeRows & { keys: FloatMatrix; ids?: Int32Array };
};

export interface Problem {
  queries: FloatMatrix;
  keys: FloatMatrix | null;
  options: ProblemOptions;
}

/** Seeds of what belongs to a problem beside its features, which take `seed` and `seed + 1`. */
const seedOf = {
  classes: 1000,
  queryIds: 2000,
  keyIds: 3000,
  weights: 4000,
  hard: 5000,
  hardIds: 6000,
  excluded: 7000,
  positives: 8000,
  hardRows: 9000,
  guide: 10000,
  teacher: 11000,
};

const verbatim = [
  'objective',
  'logitScale',
  'logitBias',
  'falseNegativeMargin',
  'directions',
  'partition',
  'labelSmoothing',
  'hardness',
] as const;

export function makeProblem(recipe: Recipe): Problem {
  const { objective, rows, keys, seed, ids } = recipe;
  const labels =
    recipe.labelSeed === undefined || recipe.labelSeed === null
      ? undefined
      : makeLabels(rows, keys, recipe.labelSeed);
  const weights = recipe.weights ? makeWeights(rows, seed + seedOf.weights) : undefined;
  const lists = recipe.positives === undefined ? undefined : makePositives(recipe, weights);
  const first = lists && Int32Array.from({ length: rows }, (_, i) => lists.keys[lists.offsets[i]] ?? 0);
  const pair = makePair({ ...recipe, keys: keys || rows, labels: first ?? labels });
  const finish = (matrix: FloatMatrix) => (recipe.coarse ? coarsen(matrix) : matrix);
  const options: ProblemOptions = { labels: lists ?? labels };
  for (const name of verbatim)
    if (recipe[name] !== undefined) Object.assign(options, { [name]: recipe[name] });
  if (objective === 'supcon') options.labels = makeLabels(rows, classCount(recipe), seed + seedOf.classes);
  if (ids !== undefined) {
    options.queryIds = makeLabels(rows, ids, seed + seedOf.queryIds);
    options.keyIds = makeLabels(keys, ids, seed + seedOf.keyIds);
  }
  if (recipe.excluded !== undefined)
    options.excludePairs = makeLists(rows, keys, { most: recipe.excluded }, seed + seedOf.excluded);
  if (weights) options.queryWeights = weights;
  const owners = hardOwners(recipe);
  if (owners.length > 0) {
    const hard = makeHardNegatives(pair.queries, owners, seed + seedOf.hard);
    options.hardNegatives = { keys: finish(hard), ...hardRows(recipe, owners) };
    if (recipe.hardIds && ids !== undefined)
      options.hardNegatives.ids = makeLabels(owners.length, ids, seed + seedOf.hardIds);
  }
  if (recipe.guide) options.guide = makeGuide(recipe, recipe.guide, labels);
  if (recipe.teacher) {
    const { dim, alike = 3, ...numbers } = recipe.teacher;
    const taught = makePair({ rows, keys, dim, seed: seed + seedOf.teacher, alike, labels });
    options.teacher = { queries: coarsen(taught.queries), keys: coarsen(taught.keys), ...numbers };
  }
  return { queries: finish(pair.queries), keys: keys === 0 ? null : finish(pair.keys), options };
}

function makePositives({ rows, keys, positives, seed }: Recipe, weights?: Float32Array): KeyLists {
  const made = makeLists(rows, keys, { least: 1, most: positives! }, seed + seedOf.positives);
  const lists = Array.from({ length: rows }, (_, i) =>
    weights?.[i] === 0 ? [] : Array.from(made.keys.subarray(made.offsets[i], made.offsets[i + 1])),
  );
  const offsets = [0];
  for (const list of lists) offsets.push(offsets[offsets.length - 1] + list.length);
  return { offsets: Int32Array.from(offsets), keys: Int32Array.from(lists.flat()) };
}

/** The query of each hard negative. */
function hardOwners({ rows, seed, hardPerQuery = 0, hardMost }: Recipe): number[] {
  const owners = Array.from({ length: rows }, (_, i) => {
    const count = hardMost === undefined ? hardPerQuery : hash(seed + seedOf.hardRows, i) % (hardMost + 1);
    return new Array<number>(count).fill(i);
  }).flat();
  // features have a row at least
  return hardMost !== undefined && owners.length === 0 ? [rows - 1] : owners;
}

function hardRows({ rows, hardPerQuery = 0, hardMost }: Recipe, owners: number[]): HardNegativeRows {
  if (hardMost === undefined) return { perQuery: hardPerQuery };
  const before = (query: number) => owners.filter((owner) => owner < query).length;
  return { offsets: Int32Array.from({ length: rows + 1 }, (_, i) => before(i)) };
}

/** Hard negatives are similar to their query by a quarter. */
function makeHardNegatives(
  { data, shape: [, dim] }: FloatMatrix,
  owners: readonly number[],
  seed: number,
): FloatMatrix {
  const scale = rowScale(dim);
  const values = Float32Array.from({ length: owners.length * dim }, (_, at) => {
    const query = owners[Math.floor(at / dim)];
    return (2 * data[query * dim + (at % dim)] + 6 * unit(seed, at) * scale) / 8;
  });
  return { data: values, shape: [owners.length, dim] };
}

/** Other features of the same rows. Hard negatives resemble their query too, so that some are above its limit. */
function makeGuide(
  recipe: Recipe,
  { dim, margin, relative, hard, alike = 3 }: NonNullable<Recipe['guide']>,
  labels: Int32Array | undefined,
): NonNullable<ProblemOptions['guide']> {
  const seed = recipe.seed + seedOf.guide;
  const { rows, keys } = recipe;
  const pair = makePair({ rows, keys, dim, seed, alike, labels });
  const owners = hardOwners(recipe);
  const hardNegatives =
    hard && owners.length > 0
      ? { hardNegatives: coarsen(makeHardNegatives(pair.queries, owners, seed + 2)) }
      : {};
  return {
    queries: coarsen(pair.queries),
    keys: coarsen(pair.keys),
    ...hardNegatives,
    ...(margin !== undefined && { margin }),
    ...(relative !== undefined && { relative }),
  };
}

function classCount({ rows, classes }: Recipe): number {
  return classes ?? Math.max(1, Math.floor(rows / 3));
}

/** The first is 1, so that not all are 0. */
function makeWeights(rows: number, seed: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, i) => (i === 0 ? 1 : (hash(seed, i) % 8) / 4));
}

export function problemName(recipe: Recipe): string {
  const { objective, rows, keys, dim, logitScale } = recipe;
  const notes = [
    recipe.labelSeed != null && 'labels',
    recipe.positives !== undefined && `up to ${recipe.positives} positives`,
    recipe.directions && `${recipe.directions.join('+')} ${recipe.partition ?? 'joint'}`,
    recipe.ids !== undefined && `${recipe.ids} ids`,
    recipe.excluded !== undefined && `up to ${recipe.excluded} excluded`,
    recipe.falseNegativeMargin !== undefined && `margin ${recipe.falseNegativeMargin}`,
    recipe.guide && `guide ${JSON.stringify(recipe.guide)}`,
    recipe.teacher && `teacher ${JSON.stringify(recipe.teacher)}`,
    recipe.hardPerQuery && `${recipe.hardPerQuery} hard negatives`,
    recipe.hardMost !== undefined && `up to ${recipe.hardMost} hard negatives`,
    recipe.labelSmoothing && `smoothing ${recipe.labelSmoothing}`,
    recipe.weights && 'weights',
    recipe.hardness && `hardness ${recipe.hardness.strength} on ${recipe.hardness.on}`,
    recipe.logitBias !== undefined && `bias ${recipe.logitBias}`,
    recipe.coarse && 'coarse',
  ].filter(Boolean);
  return [`${objective} ${rows}x${keys}x${dim}`, `scale ${logitScale.toFixed(0)}`, ...notes].join(', ');
}
