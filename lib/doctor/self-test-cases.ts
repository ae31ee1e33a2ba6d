/**
 * The problems of the self-test: every objective, on shapes that are no multiple of a tile. Features come from an
 * integer hash, so no file of inputs is needed.
 *
 * Refuses values that a 16-bit format would round: one stored answer then serves float32, float16 and bfloat16.
 */

import type { DType, HostFeatures } from '../matrix/host-matrix';
import type { Objective } from '../native/binding';

export interface SelfTestCase {
  name: string;
  objective: Objective;
  rows: number;
  keys: number;
  dim: number;
  logitScale: number;
  seed: number;
  logitBias?: number;
  /** infonce: random positives. supcon: classes of the rows. */
  labelsBelow?: number;
  directions?: readonly ('queryToKey' | 'keyToQuery' | 'queryToQuery' | 'keyToKey')[];
  /** The most positives and excluded pairs of a query, in lists, which the CPU backend alone takes. */
  positives?: number;
  excluded?: number;
  /** Widths of the features of a guide and a teacher, which the CPU backend alone takes. */
  guideDim?: number;
  teacherDim?: number;
}

/** `clip, several tiles` has more rows than a tile, so threads share the work. */
export const selfTestCases: readonly SelfTestCase[] = [
  { name: 'clip', objective: 'clip', rows: 97, keys: 97, dim: 33, logitScale: 12, seed: 1 },
  { name: 'clip, several tiles', objective: 'clip', rows: 701, keys: 701, dim: 40, logitScale: 14, seed: 11 },
  {
    name: 'infonce, positives anywhere',
    objective: 'infonce',
    rows: 61,
    keys: 130,
    dim: 24,
    logitScale: 10,
    seed: 21,
    labelsBelow: 130,
  },
  {
    name: 'infonce, four directions',
    objective: 'infonce',
    rows: 75,
    keys: 75,
    dim: 17,
    logitScale: 9,
    seed: 31,
    directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'],
  },
  { name: 'ntxent', objective: 'ntxent', rows: 83, keys: 83, dim: 48, logitScale: 11, seed: 41 },
  {
    name: 'supcon',
    objective: 'supcon',
    rows: 90,
    keys: 90,
    dim: 31,
    logitScale: 8,
    seed: 51,
    labelsBelow: 12,
  },
  {
    name: 'siglip',
    objective: 'siglip',
    rows: 79,
    keys: 79,
    dim: 36,
    logitScale: 10,
    seed: 61,
    logitBias: -4,
  },
  {
    name: 'clip, guide and teacher',
    objective: 'clip',
    rows: 87,
    keys: 87,
    dim: 29,
    logitScale: 12,
    seed: 71,
    guideDim: 21,
    teacherDim: 19,
  },
  {
    name: 'clip, lists',
    objective: 'clip',
    rows: 85,
    keys: 117,
    dim: 27,
    logitScale: 10,
    seed: 81,
    positives: 3,
    excluded: 6,
  },
];

/** Options that other backends refuse. */
export const isForCpuAlone = ({ positives, excluded, guideDim, teacherDim }: SelfTestCase): boolean =>
  (positives ?? excluded ?? guideDim ?? teacherDim) !== undefined;

/** 32 bits that look random. */
export function hash(seed: number, index: number): number {
  let h = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** Features of both sides. */
interface Pair {
  queries: { data: Float32Array; shape: [number, number] };
  keys: { data: Float32Array; shape: [number, number] };
}

/** As the options `labels` and `excludePairs` have them. */
interface Lists {
  offsets: Int32Array;
  keys: Int32Array;
}

export interface SelfTestProblem extends Pair {
  /** As the public functions take them, and the oracle of the tests too. */
  options: {
    objective: Objective;
    logitScale: number;
    logitBias?: number;
    labels?: Int32Array | Lists;
    excludePairs?: Lists;
    directions?: readonly ('queryToKey' | 'keyToQuery' | 'queryToQuery' | 'keyToKey')[];
    guide?: Pair;
    teacher?: Pair & { logitScale: number; weight: number };
  };
}

/** Rows have a length of about one. A key resembles the query of the same row. */
function makePair({ rows, keys, dim, seed }: Pick<SelfTestCase, 'rows' | 'keys' | 'dim' | 'seed'>): Pair {
  const unit = 2 ** -Math.ceil(Math.log2(dim / 3) / 2) / 128;
  const step = (of: number, at: number) => (hash(of, at) >>> 24) - 128;
  const queries = Float32Array.from({ length: rows * dim }, (_, at) => step(seed, at) * unit);
  const keyData = Float32Array.from({ length: keys * dim }, (_, at) => {
    const shared = at < rows * dim ? step(seed, at) : 0;
    return ((shared + step(seed + 1, at)) >> 1) * unit;
  });
  return { queries: { data: queries, shape: [rows, dim] }, keys: { data: keyData, shape: [keys, dim] } };
}

/** From `least` to `most` distinct keys of each query, in any order. */
function makeLists({ rows, keys }: SelfTestCase, seed: number, least: number, most: number): Lists {
  const offsets = [0];
  const listed: number[] = [];
  for (let row = 0; row < rows; row++) {
    const wanted = least + (hash(seed, row) % (most - least + 1));
    const list = new Set<number>(least > 0 ? [row] : []);
    for (let draw = 1; list.size < wanted; draw++) list.add(hash(seed + draw, row) % keys);
    listed.push(...list);
    offsets.push(listed.length);
  }
  return { offsets: Int32Array.from(offsets), keys: Int32Array.from(listed) };
}

function makeLabels(given: SelfTestCase): Int32Array | Lists | undefined {
  const { rows, seed, labelsBelow, positives } = given;
  if (positives !== undefined) return makeLists(given, 1000 + seed, 1, positives);
  if (labelsBelow === undefined) return undefined;
  return Int32Array.from({ length: rows }, (_, row) => hash(seed + 2, row) % labelsBelow);
}

export function makeSelfTestProblem(given: SelfTestCase): SelfTestProblem {
  const { seed, objective, logitScale, logitBias, directions, excluded, guideDim, teacherDim } = given;
  const labels = makeLabels(given);
  return {
    ...makePair(given),
    options: {
      objective,
      logitScale,
      ...(logitBias !== undefined && { logitBias }),
      ...(labels && { labels }),
      ...(excluded && { excludePairs: makeLists(given, 2000 + seed, 0, excluded) }),
      ...(directions && { directions }),
      ...(guideDim && { guide: makePair({ ...given, dim: guideDim, seed: seed + 3 }) }),
      ...(teacherDim && {
        teacher: { ...makePair({ ...given, dim: teacherDim, seed: seed + 5 }), logitScale: 10, weight: 0.5 },
      }),
    },
  };
}

/** The same numbers as another element type. Exact, as the features of this file have at most 8 significant bits. */
export function asDType({ data, shape }: SelfTestProblem['queries'], dtype: DType): HostFeatures {
  if (dtype === 'float32') return { data, shape };
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const toBits = dtype === 'bfloat16' ? (word: number) => word >>> 16 : float16Bits;
  return { data: Uint16Array.from(words, toBits), shape, dtype };
}

/** Bits of a float32 as those of a float16. The value is zero or normal in both. */
function float16Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const isZero = (word & 0x7fffffff) === 0;
  return isZero ? sign : sign | ((((word >>> 23) & 0xff) - 112) << 10) | ((word >>> 13) & 0x3ff);
}
