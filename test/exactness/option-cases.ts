/**
 * The table of every objective with every option, alone and together, on ragged shapes, and of 16-bit features and
 * products. Shapes are small, but each combination has more than one tile on some instruction set once. Holds data
 * only.
 */
import type { DirectionName } from '../reference/dense';
import type { Recipe } from '../reference/problems';
import { type ExactCase, valueNames } from './cases';

type Combination = Pick<Recipe, 'objective'> & Partial<Recipe> & { moreKeys?: number };

const together = { ids: 14, falseNegativeMargin: 0.0625, weights: true, coarse: true };
const strong = { strength: 6, on: 'all' } as const;

function softmaxCombinations(objective: 'clip' | 'infonce' | 'ntxent'): Combination[] {
  const options: Partial<Recipe>[] = [
    {},
    { ids: 9 },
    { ids: 1 },
    { falseNegativeMargin: -0.125, coarse: true },
    { falseNegativeMargin: 0.25, coarse: true },
    { labelSmoothing: 0.1 },
    { labelSmoothing: 0.9 },
    { weights: true },
    { hardness: { strength: 6, on: 'inBatch' } },
    { hardness: { strength: 100, on: 'inBatch' } }, // e^100 overflows float32
    { ...together, labelSmoothing: 0.2 },
    { ...together, hardness: strong },
  ];
  return options.map((option) => ({ objective, ...option }));
}

const hardNegativeCombinations: Combination[] = (['clip', 'infonce'] as const).flatMap((objective) => [
  { objective, hardPerQuery: 1 },
  { objective, hardPerQuery: 7, labelSmoothing: 0.3 },
  { objective, hardPerQuery: 3, falseNegativeMargin: -0.125, coarse: true },
  { objective, hardPerQuery: 3, hardness: { strength: 6, on: 'hard' as const } },
  { objective, hardPerQuery: 3, hardness: strong },
  { objective, hardPerQuery: 2, ...together, labelSmoothing: 0.2 },
  { objective, hardPerQuery: 5, ids: 9, hardIds: true },
  { objective, hardPerQuery: 2, ids: 1, hardIds: true }, // no hard negative counts
  { objective, hardPerQuery: 3, hardIds: true, ...together, labelSmoothing: 0.2 },
  { objective, hardPerQuery: 3, hardIds: true, ...together, hardness: strong },
]);

/** infonce with positives anywhere among more keys than queries, or fewer. */
const labelledCombinations: Combination[] = [
  { objective: 'infonce', labelSeed: 1, moreKeys: 29 },
  { objective: 'infonce', labelSeed: 2, moreKeys: 13, ids: 11, labelSmoothing: 0.1, hardPerQuery: 2 },
  { objective: 'infonce', labelSeed: 3, moreKeys: 200, ...together },
  { objective: 'infonce', labelSeed: 4, moreKeys: -20, hardness: strong, weights: true },
];

const otherCombinations: Combination[] = [
  { objective: 'supcon' },
  { objective: 'supcon', classes: 1 },
  { objective: 'supcon', classes: 1000 },
  { objective: 'supcon', keys: 0 },
  { objective: 'supcon', keys: 0, classes: 2 },
  { objective: 'supcon', keys: 0, classes: 1000 },
  { objective: 'siglip' },
  { objective: 'siglip', logitBias: 2.5, weights: true },
  { objective: 'siglip', logitBias: 0 }, // sums of as many equal terms as there are keys
  { objective: 'siglip', logitBias: -5, ids: 9 },
  { objective: 'siglip', moreKeys: 31, ids: 9, weights: true },
];

/** A guide of another width: alone, with each margin, and with all that masks pairs or meets masked pairs. */
const guideCombinations: Combination[] = [
  ...(['clip', 'infonce'] as const).flatMap((objective): Combination[] => [
    { objective, guide: { dim: 5 } },
    { objective, guide: { dim: 33, margin: 0.0625 } },
    { objective, guide: { dim: 1, margin: -0.125 } },
    { objective, guide: { dim: 9, margin: 0.25, relative: true, alike: 0 } }, // positives of either sign
    { objective, hardPerQuery: 3, guide: { dim: 7 } },
    { objective, hardPerQuery: 3, guide: { dim: 7, margin: 0.125, hard: true } },
    {
      objective,
      hardPerQuery: 2,
      hardIds: true,
      guide: { dim: 12, hard: true },
      ...together,
      labelSmoothing: 0.2,
    },
    { objective, guide: { dim: 65 }, ...together, hardness: strong },
  ]),
  { objective: 'infonce', labelSeed: 5, moreKeys: 29, guide: { dim: 6 }, labelSmoothing: 0.1 },
  {
    objective: 'infonce',
    directions: ['queryToKey', 'queryToQuery', 'keyToKey'],
    partition: 'joint',
    guide: { dim: 6 },
  },
  { objective: 'infonce', directions: ['queryToKey', 'keyToQuery', 'keyToKey'], guide: { dim: 3 }, ids: 9 },
];

/** A teacher of another width: alone, flat, sharp and of opposite rank, with each mask, and beside a guide. */
const teacherCombinations: Combination[] = [
  ...(['clip', 'infonce'] as const).flatMap((objective): Combination[] => [
    { objective, teacher: { dim: 5, logitScale: 10, weight: 1 } },
    { objective, teacher: { dim: 33, logitScale: 100, weight: 0.25 } },
    { objective, teacher: { dim: 1, logitScale: 1e-3, weight: 3, alike: 0 }, weights: true },
    { objective, teacher: { dim: 12, logitScale: 400, weight: 0.5, alike: 0 }, labelSmoothing: 0.2 },
    { objective, teacher: { dim: 7, logitScale: 20, weight: 1 }, ids: 9 },
    { objective, teacher: { dim: 7, logitScale: 20, weight: 1 }, ids: 1 },
    { objective, teacher: { dim: 65, logitScale: 20, weight: 2 }, ...together, labelSmoothing: 0.1 },
    { objective, teacher: { dim: 9, logitScale: 20, weight: 1 }, guide: { dim: 6 } },
  ]),
  { objective: 'infonce', labelSeed: 6, moreKeys: 29, teacher: { dim: 6, logitScale: 20, weight: 1 } },
  {
    objective: 'infonce',
    labelSeed: 7,
    moreKeys: -20,
    teacher: { dim: 6, logitScale: 20, weight: 1 },
    ids: 11,
  },
];

function directionCombinations(): Combination[] {
  const others: DirectionName[] = ['keyToQuery', 'queryToQuery', 'keyToKey'];
  const extras: Partial<Recipe>[] = [{}, { ids: 9 }, { labelSmoothing: 0.1, weights: true }, together];
  const combinations: Combination[] = [];
  for (let subset = 0; subset < 8; subset++) {
    const directions: DirectionName[] = ['queryToKey', ...others.filter((_, bit) => (subset >> bit) & 1)];
    for (const partition of ['joint', 'perDirection'] as const) {
      const extra = extras[combinations.length % extras.length];
      const own = subset % 3 === 1 ? { hardPerQuery: 2 } : {};
      combinations.push({ objective: 'infonce', directions, partition, ...extra, ...own });
    }
  }
  return combinations;
}

const excludedCombinations: Combination[] = [
  ...(['clip', 'infonce', 'siglip'] as const).flatMap((objective) => [
    { objective, excluded: 5 },
    { objective, excluded: 2, ids: 9, weights: true },
  ]),
  ...(['clip', 'infonce'] as const).flatMap((objective) => [
    { objective, excluded: 9, ...together, hardPerQuery: 2, labelSmoothing: 0.2 },
    { objective, excluded: 9, ...together, hardness: strong },
  ]),
  { objective: 'infonce', excluded: 6, labelSeed: 5, moreKeys: 60 },
  { objective: 'infonce', excluded: 4, directions: ['queryToKey', 'keyToQuery', 'keyToKey'] },
  { objective: 'siglip', excluded: 7, moreKeys: 31, logitBias: -5 },
];

const listedCombinations: Combination[] = (['clip', 'infonce'] as const).flatMap((objective) => [
  { objective, positives: 1 },
  { objective, positives: 4 },
  { objective, positives: 3, moreKeys: 57, ids: 11 },
  { objective, positives: 3, moreKeys: -20, excluded: 4 },
  { objective, positives: 3, hardPerQuery: 3, ids: 9, hardIds: true },
  { objective, positives: 4, hardPerQuery: 2, hardness: strong },
  { objective, positives: 3, hardness: { strength: 100, on: 'inBatch' as const } },
  {
    objective,
    positives: 3,
    excluded: 5,
    coarse: true,
    hardPerQuery: 1,
    ...(objective === 'infonce' && { weights: true }),
  },
  { objective, positives: 40, hardPerQuery: 1 },
]);

const raggedCombinations: Combination[] = (['clip', 'infonce'] as const).flatMap((objective) => [
  { objective, hardMost: 6 },
  { objective, hardMost: 3, falseNegativeMargin: -0.125, coarse: true, labelSmoothing: 0.2 },
  { objective, hardMost: 5, ids: 9, hardIds: true, hardness: strong },
  { objective, hardMost: 4, positives: 3, excluded: 2 },
]);

const combinations: Combination[] = [
  ...softmaxCombinations('clip'),
  ...softmaxCombinations('infonce'),
  ...softmaxCombinations('ntxent'),
  ...hardNegativeCombinations,
  ...labelledCombinations,
  ...otherCombinations,
  ...directionCombinations(),
  // last, as the size of a case depends on its position
  ...excludedCombinations,
  ...listedCombinations,
  ...raggedCombinations,
  ...guideCombinations,
  ...teacherCombinations,
];

const tiny = [1, 2, 3];
const small = [23, 31, 33, 47, 49, 65, 97];
const large = [193, 239, 241, 255, 383, 385, 447, 449, 481];
const dims = [1, 3, 17, 33, 64, 65];
const scales = [1, 10, 14.285714149475098, 30, 100]; // float32 values, as the engine rounds the scale to float32

function build(combination: Combination, rows: number, at: number): ExactCase {
  const { moreKeys = 0, ...recipe } = combination;
  const labelSeed = recipe.labelSeed == null ? undefined : 100 * at + recipe.labelSeed;
  return {
    rows,
    keys: Math.max(1, rows + moreKeys),
    dim: recipe.coarse ? [3, 9, 12][at % 3] : dims[at % dims.length],
    logitScale: scales[at % scales.length],
    seed: 10_000 + 10 * at,
    alike: at % 7,
    ...recipe,
    labelSeed,
  };
}

function makeOptionCases(): ExactCase[] {
  const cases: ExactCase[] = [];
  combinations.forEach((combination, c) => {
    for (const sizes of [tiny, small, small, large]) {
      cases.push(build(combination, sizes[(c + 3 * cases.length) % sizes.length], cases.length));
    }
  });
  return cases;
}

/** float16 and bfloat16 features in float32 arithmetic, float32 and bfloat16 features in bfloat16 arithmetic. */
function makeNarrowCases(): ExactCase[] {
  const kinds = [
    { dtype: 'bfloat16' },
    { dtype: 'float16' },
    { dtype: 'bfloat16', compute: 'bfloat16' },
    { compute: 'bfloat16' },
    { dtype: 'float16', compute: 'bfloat16' },
  ] as const;
  const cases: ExactCase[] = [];
  combinations.forEach((combination, c) => {
    for (const kind of [kinds[c % 2], kinds[2], kinds[3 + (c % 2)]]) {
      const at = cases.length;
      const size = at % 5 === 0 ? tiny : at % 5 === 1 ? large : small;
      cases.push({ ...build(combination, size[at % size.length], 1000 + at), ...kind });
    }
  });
  return cases;
}

/** Values that hurt (cases.ts) at scale 100, where a bfloat16 softmax elsewhere turns to NaN. */
function makeNarrowValueCases(): ExactCase[] {
  const kinds = [{ dtype: 'float16' }, { dtype: 'bfloat16', compute: 'bfloat16' }] as const;
  return valueNames.flatMap((values, v) =>
    kinds.flatMap((kind, at): ExactCase[] => {
      const shape = { dim: 24, logitScale: 100, seed: 50_000 + 100 * v + 10 * at, values, ...kind };
      return [
        { objective: 'clip', rows: 71, keys: 71, ...shape },
        { objective: 'infonce', rows: 65, keys: 463, labelSeed: v, ...shape },
        { objective: 'ntxent', rows: 71, keys: 71, ...shape },
        { objective: 'siglip', rows: 65, keys: 71, ...shape },
      ];
    }),
  );
}

export const optionCases = makeOptionCases();
export const narrowCases = [...makeNarrowCases(), ...makeNarrowValueCases()];
