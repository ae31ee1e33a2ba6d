/**
 * The native side takes exactly the requests that lib makes; `native-refusals.test.ts` has those that it refuses. A
 * getter with changing answers can still cause a request that breaks a rule of lib: such a call never crashes.
 */
import { type ContrastiveOptions, contrastiveLossAndGradSync, contrastiveLossSync } from '../../lib';
import type { ContrastiveRequest } from '../../lib/native/binding';
import { thrownBy } from './fake-binding';
import {
  all,
  alone,
  binding,
  dim,
  expectCode,
  floats,
  guide,
  ids,
  ints,
  lossOnly,
  matrix,
  ofEach,
  ofFirst,
  ragged,
  request,
  rows,
  supcon,
  teacher,
} from './native-request';

it.each<[string, Partial<ContrastiveRequest>]>([
  ['clip', {}],
  ['ntxent', { objective: 'ntxent', ...ids, falseNegativeMargin: 0.1, labelSmoothing: 0.1 }],
  ['infonce', { objective: 'infonce', keys: matrix(30), keyGrads: floats(7 * dim) }],
  ['labels', { objective: 'infonce', keys: matrix(3), labels: ints(rows, 2) }],
  ['all directions', { objective: 'infonce', directions: all, hardness: 1, jointPartition: false }],
  [
    'hard negatives',
    { hardNegatives: matrix(2 * rows), hardNegativeGrads: floats(2 * rows * dim), hardNegativeHardness: 1 },
  ],
  ['hard negatives with ids', { ...ids, hardNegatives: matrix(2 * rows), hardNegativeIds: ints(2 * rows) }],
  ['excluded pairs', { excludedPairs: ofFirst(0, 3, 11) }],
  ['excluded pairs, siglip', { objective: 'siglip', excludedPairs: ofFirst() }],
  ['positives', { positives: ofEach(2) }],
  ['positives among other keys', { keys: matrix(5), keyGrads: floats(5 * dim), positives: ofEach(4) }],
  [
    'no positives of a query without weight',
    { objective: 'infonce', positives: ofFirst(3), queryWeights: floats(rows).fill(1, 0, 1) },
  ],
  ['ragged hard negatives', { hardNegatives: matrix(5), hardNegativeOffsets: ragged(5) }],
  ['a guide', { guide: guide() }],
  [
    'a guide of hard negatives',
    { hardNegatives: matrix(2 * rows), guide: guide({ hardNegatives: matrix(2 * rows, 3), relative: true }) },
  ],
  ['a teacher and a guide', { teacher: teacher(), guide: guide() }],
  ['supcon', supcon],
  ['supcon over the queries', alone],
  [
    'siglip',
    { objective: 'siglip', ...ids, keys: matrix(rows), logitBias: -3, queryWeights: floats(rows).fill(1) },
  ],
  [
    'loss',
    { ...lossOnly, rows: { loss: floats(rows), lse: floats(rows), positiveFirst: new Uint8Array(rows) } },
  ],
])('%s is taken', (_, change) => {
  expect(binding.contrastiveSync(request(change)).loss).toEqual(expect.any(Number));
});

it.each([
  ['no keys', { keys: 0 }, 'ERR_TYPE'],
  ['unequal sides', { keys: 5 }, 'ERR_SHAPE'],
  ['more than memory holds', { queries: 2 ** 52, keys: 2 ** 52 }, 'ERR_SHAPE'],
  ['no rows', { queries: 0, keys: 0, objective: 'supcon' as const }, 'ERR_SHAPE'],
  ['too many threads', { threads: 2 ** 40 }, 'ERR_VALUE'],
  ['a guide, siglip', { objective: 'siglip' as const, guideDim: 3 }, 'ERR_VALUE'],
  ['a teacher, ntxent', { objective: 'ntxent' as const, teacherDim: 3 }, 'ERR_VALUE'],
  ['a guide of negative width', { guideDim: -1 }, 'ERR_TYPE'],
  ['a teacher wider than memory', { teacherDim: 2 ** 50 }, 'ERR_SHAPE'],
])('a plan of %s is refused', (_, change, code) => {
  const right = { queries: 4, keys: 4, dim: 4, dtype: 'float32', bfloat16: false, gradient: true } as const;
  const none = { guideDim: 0, teacherDim: 0 };
  const rest = { objective: 'clip', backend: 'cpu', device: 0, threads: 0, workspaceBytes: 0 } as const;
  expectCode(
    thrownBy(() => binding.plan({ ...right, ...none, ...rest, ...change })),
    code,
  );
});

describe('a getter that changes its answer', () => {
  const features = (count: number, columns = 8) => ({
    data: floats(count * columns).fill(0.1),
    shape: [count, columns] as [number, number],
  });
  /** Options whose `name` is `first` for so many reads, and `then` afterwards. */
  const flips = (
    name: keyof ContrastiveOptions,
    [first, then]: [unknown, unknown],
    reads: number,
    rest: ContrastiveOptions,
  ): ContrastiveOptions => {
    let n = 0;
    return Object.defineProperty({ ...rest }, name, {
      enumerable: true,
      get: () => (++n <= reads ? first : then),
    });
  };

  // whenever it does so: a result, or an error with a code, and the process lives
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('after %i reads ends in a result or a coded error', (reads) => {
    const calls = [
      () => {
        const hard = { keys: features(128), perQuery: 2 };
        const options = flips('hardNegatives', [undefined, hard], reads, { objective: 'siglip' });
        return contrastiveLossAndGradSync(features(64), features(64), options);
      },
      () => {
        const rest: ContrastiveOptions = { objective: 'supcon', labels: ints(64) };
        return contrastiveLossSync(
          features(64),
          null,
          flips('falseNegativeMargin', [undefined, 0.1], reads, rest),
        );
      },
      () => {
        const rest: ContrastiveOptions = { objective: 'infonce', falseNegativeMargin: 0.1 };
        const options = flips('labels', [ints(20_000), undefined], reads, rest);
        return contrastiveLossSync(features(20_000, 512), features(1, 512), options);
      },
    ];
    for (const call of calls) {
      let outcome: unknown;
      try {
        outcome = call().loss;
      } catch (error) {
        outcome = (error as { code?: unknown }).code;
      }
      expect(typeof outcome === 'number' || /^ERR_(VALUE|SHAPE|TYPE)$/.test(String(outcome))).toBe(true);
    }
  });
});
