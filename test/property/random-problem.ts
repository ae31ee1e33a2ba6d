/**
 * Random problems for fast-check: any objective with any options that the public API accepts together, any shape, any
 * kind of features. A problem is an ExactCase, a few numbers, so that what fast-check shrinks and prints can be pasted
 * into a table of test/exactness.
 */
import fc from 'fast-check';
import { type ExactCase, valueNames } from '../exactness/cases';
import type { DirectionName } from '../reference/dense';
import type { Recipe } from '../reference/problems';

/** Mostly small, where every branch is near; sometimes more than one tile of some instruction set. */
const rowCounts = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 70 }), weight: 12 },
  { arbitrary: fc.integer({ min: 185, max: 260 }), weight: 2 },
  { arbitrary: fc.integer({ min: 440, max: 500 }), weight: 1 },
);
const dims = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 140 }));
const float32 = (min: number, max: number) =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

const hardness = fc.record({
  strength: float32(0.1, 40),
  on: fc.constantFrom('inBatch' as const, 'hard' as const, 'all' as const),
});
const directions = fc
  .subarray<DirectionName>(['keyToQuery', 'queryToQuery', 'keyToKey'])
  .map((others): DirectionName[] => ['queryToKey', ...others]);

const guide = fc.record({
  dim: fc.integer({ min: 1, max: 40 }),
  // eighths, so that limits are exact
  margin: fc.integer({ min: -8, max: 8 }).map((eighths) => eighths / 8),
  relative: fc.boolean(),
  hard: fc.boolean(),
  alike: fc.integer({ min: 0, max: 8 }),
});
const teacher = fc.record({
  dim: fc.integer({ min: 1, max: 40 }),
  logitScale: float32(0.05, 100),
  weight: float32(0.05, 3),
  alike: fc.integer({ min: 0, max: 8 }),
});

/** Everything drawn independently; `sensible` then drops what does not go together. */
const anything = fc.record({
  objective: fc.constantFrom(
    'clip' as const,
    'infonce' as const,
    'ntxent' as const,
    'supcon' as const,
    'siglip' as const,
  ),
  rows: rowCounts,
  moreKeys: maybe(fc.integer({ min: 1, max: 90 })),
  noKeys: fc.boolean(),
  dim: dims,
  logitScale: fc.oneof(float32(0.05, 30), float32(30, 100)),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  alike: fc.integer({ min: 0, max: 8 }),
  labelSeed: maybe(fc.nat(1_000_000)),
  classes: maybe(fc.integer({ min: 1, max: 40 })),
  ids: maybe(fc.integer({ min: 1, max: 60 })),
  hardPerQuery: maybe(fc.integer({ min: 1, max: 9 })),
  hardMost: maybe(fc.integer({ min: 0, max: 6 })),
  positives: maybe(fc.integer({ min: 1, max: 6 })),
  excluded: maybe(fc.integer({ min: 0, max: 12 })),
  weights: fc.boolean(),
  logitBias: maybe(float32(-20, 5)),
  falseNegativeMargin: maybe(float32(-0.5, 0.5)),
  guide: maybe(guide),
  teacher: maybe(teacher),
  directions: maybe(directions),
  partition: maybe(fc.constantFrom('joint' as const, 'perDirection' as const)),
  labelSmoothing: maybe(float32(0.01, 0.99)),
  hardness: maybe(hardness),
  dtype: maybe(fc.constantFrom('float16' as const, 'bfloat16' as const)),
  compute: maybe(fc.constant('bfloat16' as const)),
  values: maybe(fc.constantFrom(...valueNames)),
});

type Anything = typeof anything extends fc.Arbitrary<infer T> ? T : never;

/** What lib/loss/resolve-terms.ts allows for an objective. */
function sensible(drawn: Anything): ExactCase {
  const { moreKeys = 0, noKeys, dtype, compute, values, ...wish } = drawn;
  const { objective, rows } = wish;
  const recipe: Recipe = { ...wish, keys: rows };
  const drop = (...names: (keyof Recipe)[]) => {
    for (const name of names) delete recipe[name];
  };
  if (objective !== 'siglip') drop('logitBias');
  if (objective !== 'infonce') drop('directions', 'labelSeed');
  if (objective !== 'clip' && objective !== 'infonce') drop('positives', 'hardMost');
  if (recipe.directions) drop('labelSeed', 'positives');
  else drop('partition');
  if (recipe.positives !== undefined) {
    drop('labelSeed', 'falseNegativeMargin', 'labelSmoothing', 'guide', 'teacher');
    if (objective === 'clip') drop('weights');
  }
  if (recipe.hardMost !== undefined) drop('hardPerQuery');
  if (objective === 'ntxent' || objective === 'supcon') drop('excluded');
  if (objective === 'supcon') {
    drop('ids', 'falseNegativeMargin', 'labelSmoothing', 'weights', 'hardness');
    if (noKeys) recipe.keys = 0;
  }
  if (objective === 'siglip') drop('falseNegativeMargin', 'labelSmoothing', 'hardness');
  if (objective !== 'clip' && objective !== 'infonce') drop('hardPerQuery', 'guide', 'teacher');
  if (recipe.hardness) drop('labelSmoothing');
  const hasHard = recipe.hardPerQuery !== undefined || recipe.hardMost !== undefined;
  if (recipe.directions || hasHard || recipe.hardness) drop('teacher');
  if (recipe.hardness?.on === 'hard' && !hasHard) drop('hardness');
  const freeKeys =
    objective === 'siglip' ||
    recipe.positives !== undefined ||
    (objective === 'infonce' && (recipe.directions?.length ?? 1) === 1);
  if (freeKeys) recipe.keys = rows + moreKeys;
  // a margin decides by comparing floats: with coarse rows there is no rounding to decide otherwise
  if (recipe.falseNegativeMargin !== undefined) recipe.coarse = true;
  const hurts = recipe.keys > 0 && !recipe.coarse && !recipe.hardness ? values : undefined;
  return { ...recipe, dtype, compute, values: hurts };
}

export const randomCase: fc.Arbitrary<ExactCase> = anything.map(sensible);

/** Features and products in float32, and as many hard negatives of each query. */
export const randomFloatCase: fc.Arbitrary<ExactCase> = anything.map((drawn) =>
  sensible({ ...drawn, dtype: undefined, compute: undefined, values: undefined, hardMost: undefined }),
);

/** Within what the API accepts, three times the scale as hardness included. */
const scaleRange = { least: 2e-25, most: 3e29 };

/**
 * Logits up to float32's limit and down to nothing, of rows of any length, some of them repeated. Features have so few
 * bits that similarities are exact: ties are ties, and the oracle's numbers are right at any size.
 */
export const randomSizeCase: fc.Arbitrary<ExactCase> = fc
  .record({
    drawn: anything,
    logit: fc.integer({ min: -30, max: 112 }),
    power: fc.integer({ min: -55, max: 55 }),
    distinct: maybe(fc.integer({ min: 1, max: 20 })),
    dtype: maybe(fc.constant('bfloat16' as const)),
  })
  .map(({ drawn, logit, power, distinct, dtype }) => {
    const exact = sensible({ ...drawn, dtype, compute: undefined, values: undefined, logitBias: undefined });
    // Hardness multiplies negatives by another scale than the positive: beyond 2^20 the two round differently.
    const size = exact.hardness ? Math.min(logit, 16) : logit;
    const wanted = 2 ** (size - 2 * power);
    const logitScale = Math.fround(Math.min(scaleRange.most, Math.max(scaleRange.least, wanted)));
    const hardness = exact.hardness && {
      ...exact.hardness,
      strength: (logitScale * exact.hardness.strength) / 20,
    };
    return { ...exact, ...(hardness && { hardness }), coarse: true, logitScale, power, distinct };
  });
