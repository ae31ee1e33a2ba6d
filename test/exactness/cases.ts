/**
 * The table of shapes and values that every instruction set must pass, for clip and infonce (option-cases.ts has the
 * rest): shapes on both sides of each edge of micro-tiles and tiles, scales up to 100, and values chosen to hurt
 * (overflow, underflow, ties, cancellation). Holds data only; judge.ts says how far off a result may be.
 */
import type { HardNegativeRows, MatrixLike } from '../../lib';
import { type FloatMatrix, type Pair, scaleRows } from '../reference/inputs';
import { type NarrowDType, narrow } from '../reference/narrow';
import { makeProblem, type Problem, problemName, type Recipe } from '../reference/problems';
import { type Leniency, shareOfTies } from './judge';

export interface ExactCase extends Recipe {
  values?: ValueRange;
  /** Type of the features as the engine gets them; default float32. The oracle gets the same numbers. */
  dtype?: NarrowDType;
  /** Type of the products; default float32, so that 16-bit features alone lose nothing. */
  compute?: 'bfloat16';
  /** Features and margin belong to rows this many powers of two longer. */
  power?: number;
  /** Every row is one of the first so many of its matrix, so that there are ties. */
  distinct?: number;
}

/** What the engine is called with. */
export interface EngineInputs {
  queries: MatrixLike;
  keys: MatrixLike | null;
  options: Omit<Problem['options'], 'hardNegatives' | 'guide' | 'teacher'> & {
    teacher?: Omit<NonNullable<Problem['options']['teacher']>, 'queries' | 'keys'> & {
      queries: MatrixLike;
      keys: MatrixLike;
    };
    guide?: Omit<NonNullable<Problem['options']['guide']>, 'queries' | 'keys' | 'hardNegatives'> & {
      queries: MatrixLike;
      keys: MatrixLike;
      hardNegatives?: MatrixLike;
    };
    hardNegatives?: HardNegativeRows & { keys: MatrixLike; ids?: Int32Array };
    compute: 'float32' | 'bfloat16';
  };
}

// Micro-tiles have 6 to 48 rows or columns, tiles 224 to 512. Primes fit none of them.
const microTileEdges = [1, 2, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33, 47, 48, 49, 97];
const tileEdges = [223, 225, 239, 241, 335, 337, 383, 385, 447, 448, 449, 479, 481, 511, 513];
const manyTiles = [895, 896, 897, 1345];
const dims = [1, 3, 64, 65, 512];
const scales = [1, 5, 14.285714149475098, 50, 100]; // float32 values, as the engine rounds the scale to float32

/** Rows changed so that something that usually goes well does not. */
const valueRanges = {
  /** Some queries are 20 times longer: their logits pass 88, where float32 exp overflows, in both directions. */
  longQueries: ({ queries, keys }) => ({ queries: scaleRows(queries, (i) => (i % 7 === 3 ? 20 : 1)), keys }),
  /** Some positives point away from their query: x_ip is far below -1000 and no term of the row's sum. */
  oppositePositives: ({ queries, keys }) => ({
    queries,
    keys: scaleRows(keys, (j) => (j % 5 === 2 ? -20 : 1)),
  }),
  /** Every row of both matrices is the same: all logits tie and the gradient cancels. */
  equalRows: ({ queries, keys }) => ({
    queries: repeatRow(queries, queries.shape),
    keys: repeatRow(queries, keys.shape),
  }),
  /** One key outweighs every other in every row, and one query in every column. */
  dominatingPair: ({ queries, keys }) => ({
    queries: scaleRows(queries, (i) => (i === 1 ? 12 : 1)),
    keys: scaleRows(keys, (j) => (j === 1 ? 12 : 1)),
  }),
  /** Rows of wildly different lengths, 2^-20 to 2^6: the shift that suits one row hides another. */
  mixedLengths: ({ queries, keys }) => ({
    queries: scaleRows(queries, (i) => 2 ** ((i % 27) - 20)),
    keys: scaleRows(keys, (j) => 2 ** (((j * 5) % 27) - 20)),
  }),
  /** Everything long: logits of thousands, every softmax is one-hot. */
  longRows: ({ queries, keys }) => ({
    queries: scaleRows(queries, () => 10),
    keys: scaleRows(keys, () => 10),
  }),
  /** Products of 2^-100: the loss is log N, and the gradients are what tiny numbers are left. */
  tinyRows: ({ queries, keys }) => ({
    queries: scaleRows(queries, () => 2 ** -50),
    keys: scaleRows(keys, () => 2 ** -50),
  }),
  /** Rows of zeros, as padding leaves them. */
  zeroRows: ({ queries, keys }) => ({
    queries: scaleRows(queries, (i) => (i % 3 === 0 ? 0 : 1)),
    keys: scaleRows(keys, (j) => (j % 4 === 1 ? 0 : 1)),
  }),
} satisfies Record<string, (pair: Pair) => Pair>;

export type ValueRange = keyof typeof valueRanges;
export const valueNames = Object.keys(valueRanges) as ValueRange[];

/** The first row, as often as `shape` says. */
function repeatRow({ data }: FloatMatrix, shape: FloatMatrix['shape']): FloatMatrix {
  const [rows, dim] = shape;
  return { data: Float32Array.from({ length: rows * dim }, (_, at) => data[at % dim]), shape };
}

/** Row i becomes row i % distinct. */
function repeatRows({ data, shape }: FloatMatrix, distinct: number): FloatMatrix {
  const length = distinct * shape[1];
  return { data: data.map((_, at) => data[at % length]), shape };
}

/** The problem with repeated and longer rows; a margin grows with the similarities. */
function resize({ queries, keys, options }: Problem, { power = 0, distinct }: ExactCase): Problem {
  if (power === 0 && distinct === undefined) return { queries, keys, options };
  const change = (matrix: FloatMatrix) =>
    scaleRows(distinct === undefined ? matrix : repeatRows(matrix, distinct), () => 2 ** power);
  const { hardNegatives: hard, falseNegativeMargin: margin } = options;
  return {
    queries: change(queries),
    keys: keys && change(keys),
    options: {
      ...options,
      ...(margin !== undefined && { falseNegativeMargin: margin * 4 ** power }),
      ...(hard && { hardNegatives: { ...hard, keys: change(hard.keys) } }),
    },
  };
}

/** For the oracle. */
export function caseProblem(exact: ExactCase): Problem {
  const { queries, keys, options } = resize(makeProblem(exact), exact);
  const pair = exact.values && keys ? valueRanges[exact.values]({ queries, keys }) : { queries, keys };
  const rounded = (matrix: FloatMatrix) => {
    // products in bfloat16 round their operands first, which is no business of the oracle's
    const once = exact.dtype ? narrow(matrix, exact.dtype).values : matrix;
    return exact.compute === 'bfloat16' ? narrow(once, 'bfloat16').values : once;
  };
  const { hardNegatives: hard } = options;
  return {
    queries: rounded(pair.queries),
    keys: pair.keys && rounded(pair.keys),
    options: { ...options, ...(hard && { hardNegatives: { ...hard, keys: rounded(hard.keys) } }) },
  };
}

/** The same problem as the engine is asked. */
export function engineInputs({ dtype, compute }: ExactCase, problem: Problem): EngineInputs {
  const { queries, keys, options } = problem;
  const typed = (matrix: FloatMatrix) => (dtype ? narrow(matrix, dtype).bits : matrix);
  const { hardNegatives: hard, guide, teacher, ...rest } = options;
  return {
    queries: typed(queries),
    keys: keys && typed(keys),
    options: {
      ...rest,
      compute: compute ?? 'float32',
      ...(hard && { hardNegatives: { ...hard, keys: typed(hard.keys) } }),
      // the features of a guide and a teacher have so few bits that no type rounds them
      ...(teacher && {
        teacher: { ...teacher, queries: typed(teacher.queries), keys: typed(teacher.keys) },
      }),
      ...(guide && {
        guide: {
          ...guide,
          queries: typed(guide.queries),
          keys: typed(guide.keys),
          ...(guide.hardNegatives && { hardNegatives: typed(guide.hardNegatives) }),
        },
      }),
    },
  };
}

export function leniencyOf({ values, compute, power, distinct }: ExactCase): Leniency {
  return {
    ...((values === 'equalRows' || distinct !== undefined) && { share: shareOfTies }),
    narrow: compute === 'bfloat16',
    exactDots: power !== undefined,
  };
}

export function caseName(exact: ExactCase): string {
  const { values, dtype, compute, power, distinct } = exact;
  const notes = [
    values,
    dtype,
    compute && `computed in ${compute}`,
    power !== undefined && `rows times 2^${power}`,
    distinct !== undefined && `${distinct} distinct`,
  ];
  return [problemName(exact), ...notes].filter(Boolean).join(', ');
}

function square(rows: number, dim: number, seed: number): ExactCase {
  const logitScale = scales[seed % scales.length];
  return { objective: 'clip', rows, keys: rows, dim, logitScale, seed, alike: seed % 6 };
}

function rectangle(rows: number, keys: number, dim: number, seed: number): ExactCase {
  return {
    ...square(rows, dim, seed),
    objective: 'infonce',
    keys,
    labelSeed: seed % 3 ? seed + 500 : undefined,
  };
}

function makeCases(): ExactCase[] {
  const cases: ExactCase[] = [];
  const next = () => 10 + 2 * cases.length; // a pair takes two seeds
  for (const rows of microTileEdges) for (const dim of dims) cases.push(square(rows, dim, next()));
  for (const rows of tileEdges) for (const dim of [3, 65]) cases.push(square(rows, dim, next()));
  for (const rows of manyTiles) cases.push(square(rows, 17, next()));
  cases.push(square(449, 512, next()), square(450, 1, next()), square(897, 64, next()));
  for (const rows of [1, 7, 33, 49])
    for (const dim of dims) cases.push(rectangle(rows, rows + 13, dim, next()));
  const wide = [
    [1, 449],
    [1, 1009],
    [13, 448],
    [48, 897],
    [225, 241],
    [447, 449],
    [449, 450],
    [449, 1345],
  ];
  for (const [rows, keys] of wide) cases.push(rectangle(rows, keys, 19, next()));
  for (const values of valueNames) {
    for (const logitScale of [1, 20, 100]) {
      cases.push({ ...square(71, 24, next()), logitScale, values });
      cases.push({ ...square(457, 9, next()), logitScale, values });
      cases.push({ ...rectangle(65, 463, 8, next()), logitScale, values });
    }
  }
  return cases;
}

export const shapeCases = makeCases();
