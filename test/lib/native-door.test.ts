/**
 * The native side takes exactly the requests that lib makes. A request that breaks a rule of lib is an
 * error with a code: never a crash, and never a result. A getter with changing answers can still cause such
 * a request.
 */
import { type ContrastiveOptions, contrastiveLossAndGradSync, contrastiveLossSync } from '../../lib';
import {
  type ContrastiveRequest,
  Direction,
  type NativeGuide,
  type NativeHostMatrix,
  type NativeTeacher,
} from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';
import { thrownBy } from './fake-binding';

const [rows, dim] = [12, 5];
const binding = loadBinding();

function matrix(count: number, columns = dim): NativeHostMatrix {
  const data = Float32Array.from({ length: count * columns }, (_, i) => Math.sin(i));
  return { data, dtype: 'float32', rows: count, dim: columns, rowStride: columns };
}

const floats = (length: number) => new Float32Array(length);
const ints = (length: number, value = 0) => new Int32Array(length).fill(value);

/** A request that is right; `change` makes it another. */
function request(change: Partial<ContrastiveRequest>): ContrastiveRequest {
  const keys = change.keys === undefined ? matrix(rows) : change.keys;
  return {
    backend: 'cpu',
    device: 0,
    group: null,
    queries: matrix(rows),
    objective: 'clip',
    directions: 0,
    jointPartition: true,
    logitScale: 5,
    logitBias: 0,
    labels: null,
    positives: null,
    queryClasses: null,
    keyClasses: null,
    queryIds: null,
    keyIds: null,
    excludedPairs: null,
    hardNegativeIds: null,
    falseNegativeMargin: null,
    guide: null,
    teacher: null,
    labelSmoothing: 0,
    queryWeights: null,
    hardness: 0,
    hardNegativeHardness: 0,
    hardNegatives: null,
    hardNegativeOffsets: null,
    bfloat16: false,
    gradientFilter: 0,
    gradient: true,
    queryGrads: floats(rows * dim),
    keyGrads: keys && floats(keys.rows * dim),
    hardNegativeGrads: null,
    rows: null,
    threads: 0,
    workspaceBytes: 0,
    control: ints(3),
    ...change,
    keys,
  };
}

const lists = (lengths: number[], keys: number[]) => {
  let end = 0;
  const offsets = Int32Array.from([0, ...lengths.map((length) => (end += length))]);
  return { offsets, keys: Int32Array.from(keys) };
};
/** The same keys for the first query, and none for the others. */
const ofFirst = (...keys: number[]) => lists([keys.length, ...new Array(rows - 1).fill(0)], keys);

const ofEach = (key: number) => lists(new Array(rows).fill(1), new Array(rows).fill(key));
/** All hard negatives are those of the second query. */
const ragged = (count: number) => ints(rows + 1).fill(count, 2);

const all = Direction.queryToKey | Direction.keyToQuery | Direction.queryToQuery | Direction.keyToKey;
const ids = { queryIds: ints(rows), keyIds: ints(rows) };
const supcon = { objective: 'supcon', queryClasses: ints(rows), keyClasses: ints(rows) } as const;
const alone = { objective: 'supcon', queryClasses: ints(rows), keys: null } as const;
const guide = (change: Partial<NativeGuide> = {}): NativeGuide => ({
  queries: matrix(rows, 3),
  keys: matrix(rows, 3),
  hardNegatives: null,
  margin: 0,
  relative: false,
  ...change,
});
const teacher = (change: Partial<NativeTeacher> = {}): NativeTeacher => ({
  queries: matrix(rows, 3),
  keys: matrix(rows, 3),
  logitScale: 5,
  weight: 0.5,
  ...change,
});
const lossOnly = { gradient: false, queryGrads: null, keyGrads: null } as const;

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

type Refusal = [string, Partial<ContrastiveRequest>, string];
const refusals: Refusal[] = [
  // what indices are made of
  ['a label beyond the keys', { objective: 'infonce', labels: ints(rows, rows) }, 'ERR_VALUE'],
  ['a label below the keys', { objective: 'infonce', labels: ints(rows, -1) }, 'ERR_VALUE'],
  ['the least label', { objective: 'infonce', labels: ints(rows, -(2 ** 31)) }, 'ERR_VALUE'],
  [
    'fewer keys than queries',
    { objective: 'infonce', keys: matrix(1), falseNegativeMargin: 0.1 },
    'ERR_SHAPE',
  ],
  ['fewer keys, siglip', { objective: 'siglip', keys: matrix(rows - 1) }, 'ERR_SHAPE'],
  ['more keys, clip', { keys: matrix(rows + 1) }, 'ERR_SHAPE'],
  ['more keys, ntxent', { objective: 'ntxent', keys: matrix(rows + 1) }, 'ERR_SHAPE'],
  ['more keys, supcon', { ...supcon, keys: matrix(rows + 1), keyClasses: ints(rows + 1) }, 'ERR_SHAPE'],
  ['more keys, directions', { objective: 'infonce', directions: 3, keys: matrix(rows + 1) }, 'ERR_SHAPE'],
  ['keys of another dim', { keys: matrix(rows, dim + 1) }, 'ERR_SHAPE'],
  ['no keys, clip', { keys: null }, 'ERR_TYPE'],
  ['no keys, infonce', { objective: 'infonce', keys: null, labels: ints(rows) }, 'ERR_TYPE'],
  ['no keys, siglip', { objective: 'siglip', keys: null }, 'ERR_TYPE'],
  ['no keys, directions', { objective: 'infonce', directions: all, keys: null }, 'ERR_TYPE'],
  ['no classes', { objective: 'supcon' }, 'ERR_TYPE'],
  ['no classes of keys', { ...supcon, keyClasses: null }, 'ERR_TYPE'],
  ['no classes of queries', { ...supcon, queryClasses: null }, 'ERR_TYPE'],
  ['classes of no keys', { ...alone, keyClasses: ints(rows) }, 'ERR_TYPE'],
  ['some keys of a triangle', { objective: 'ntxent', keyGrads: floats(3 * dim) }, 'ERR_VALUE'],
  ['some keys of supcon', { ...supcon, keyGrads: floats(3 * dim) }, 'ERR_VALUE'],
  [
    'some keys of keyToKey',
    { objective: 'infonce', directions: all, keyGrads: floats(3 * dim) },
    'ERR_VALUE',
  ],
  ['hard negatives of half a query', { hardNegatives: matrix(rows + 1) }, 'ERR_SHAPE'],
  ['too few hard negatives', { hardNegatives: matrix(rows - 1) }, 'ERR_SHAPE'],
  ['hard negatives of another dim', { hardNegatives: matrix(rows, dim + 1) }, 'ERR_SHAPE'],
  ['a gradient of no hard negatives', { hardNegativeGrads: floats(rows * dim) }, 'ERR_VALUE'],
  ['a gradient of no keys', { ...alone, keyGrads: floats(rows * dim) }, 'ERR_SHAPE'],
  ['a gradient of more keys', { keyGrads: floats((rows + 1) * dim) }, 'ERR_SHAPE'],
  ['a short gradient', { queryGrads: floats(rows * dim - 1) }, 'ERR_SHAPE'],
  ['gradients that nobody asked for', { ...lossOnly, queryGrads: floats(rows * dim) }, 'ERR_VALUE'],
  ['an excluded key beyond the keys', { excludedPairs: ofFirst(rows) }, 'ERR_VALUE'],
  ['an excluded key below the keys', { excludedPairs: ofFirst(-1) }, 'ERR_VALUE'],
  ['excluded keys that do not ascend', { excludedPairs: ofFirst(3, 2) }, 'ERR_VALUE'],
  ['an excluded key twice', { excludedPairs: ofFirst(3, 3) }, 'ERR_VALUE'],
  [
    'excluded pairs without offsets',
    { excludedPairs: { offsets: null as never, keys: ints(3) } },
    'ERR_VALUE',
  ],
  ['too few offsets', { excludedPairs: { offsets: ints(rows), keys: ints(0) } }, 'ERR_SHAPE'],
  ['offsets from elsewhere', { excludedPairs: { offsets: ints(rows + 1, 1), keys: ints(1) } }, 'ERR_VALUE'],
  [
    'offsets that fall',
    { excludedPairs: { offsets: ints(rows + 1).fill(2, 1, 3), keys: Int32Array.of(0, 1) } },
    'ERR_VALUE',
  ],
  [
    'offsets beyond the keys',
    { excludedPairs: lists([3, ...new Array(rows - 1).fill(0)], [1, 2]) },
    'ERR_SHAPE',
  ],
  ['a positive beyond the keys', { positives: ofEach(rows) }, 'ERR_VALUE'],
  ['a query without positives', { objective: 'infonce', positives: ofFirst(1) }, 'ERR_VALUE'],
  ['labels and positives', { objective: 'infonce', labels: ints(rows), positives: ofEach(1) }, 'ERR_VALUE'],
  ['positives and directions', { objective: 'infonce', directions: 1, positives: ofEach(1) }, 'ERR_VALUE'],
  ['positives and smoothing', { positives: ofEach(1), labelSmoothing: 0.1 }, 'ERR_VALUE'],
  ['positives and a margin', { positives: ofEach(1), falseNegativeMargin: 0.1 }, 'ERR_VALUE'],
  ['positives and weights, clip', { positives: ofEach(1), queryWeights: floats(rows).fill(1) }, 'ERR_VALUE'],
  ['offsets of no hard negatives', { hardNegativeOffsets: ragged(5) }, 'ERR_VALUE'],
  [
    'offsets beyond the hard negatives',
    { hardNegatives: matrix(4), hardNegativeOffsets: ragged(5) },
    'ERR_SHAPE',
  ],
  ['offsets before their end', { hardNegatives: matrix(6), hardNegativeOffsets: ragged(5) }, 'ERR_SHAPE'],
  [
    'too few offsets of hard negatives',
    { hardNegatives: matrix(5), hardNegativeOffsets: ints(rows) },
    'ERR_SHAPE',
  ],
  ['lists on a device', { backend: 'cuda', positives: ofEach(1) }, 'ERR_VALUE'],
  ['excluded pairs on a device', { backend: 'cuda', excludedPairs: ofFirst(1) }, 'ERR_VALUE'],
  [
    'ragged hard negatives on a device',
    { backend: 'cuda', hardNegatives: matrix(5), hardNegativeOffsets: ragged(5) },
    'ERR_VALUE',
  ],
  // options of other objectives
  ['positives, ntxent', { objective: 'ntxent', positives: ofEach(1) }, 'ERR_VALUE'],
  ['positives, siglip', { objective: 'siglip', positives: ofEach(1) }, 'ERR_VALUE'],
  ['positives, supcon', { ...supcon, positives: ofEach(1) }, 'ERR_VALUE'],
  ['excluded pairs, ntxent', { objective: 'ntxent', excludedPairs: ofFirst(1) }, 'ERR_VALUE'],
  ['excluded pairs, supcon', { ...supcon, excludedPairs: ofFirst(1) }, 'ERR_VALUE'],
  ['hard negatives, siglip', { objective: 'siglip', hardNegatives: matrix(2 * rows) }, 'ERR_VALUE'],
  ['hard negatives, ntxent', { objective: 'ntxent', hardNegatives: matrix(rows) }, 'ERR_VALUE'],
  ['hard negatives, supcon', { ...supcon, hardNegatives: matrix(rows) }, 'ERR_VALUE'],
  ['margin, supcon without keys', { ...alone, falseNegativeMargin: 0.1 }, 'ERR_VALUE'],
  ['margin, supcon', { ...supcon, falseNegativeMargin: 0.1 }, 'ERR_VALUE'],
  ['margin, siglip', { objective: 'siglip', falseNegativeMargin: 0.1 }, 'ERR_VALUE'],
  ['a guide, ntxent', { objective: 'ntxent', guide: guide() }, 'ERR_VALUE'],
  ['a guide, siglip', { objective: 'siglip', guide: guide() }, 'ERR_VALUE'],
  ['a guide, supcon', { ...supcon, guide: guide() }, 'ERR_VALUE'],
  ['a guide on a device', { backend: 'cuda', guide: guide() }, 'ERR_VALUE'],
  ['a guide of fewer queries', { guide: guide({ queries: matrix(rows - 1, 3) }) }, 'ERR_SHAPE'],
  ['a guide of more keys', { guide: guide({ keys: matrix(rows + 1, 3) }) }, 'ERR_SHAPE'],
  ['a guide of two widths', { guide: guide({ keys: matrix(rows, 4) }) }, 'ERR_SHAPE'],
  ['a guide of no hard negatives', { guide: guide({ hardNegatives: matrix(rows, 3) }) }, 'ERR_SHAPE'],
  [
    'a guide of too few hard negatives',
    { hardNegatives: matrix(2 * rows), guide: guide({ hardNegatives: matrix(rows, 3) }) },
    'ERR_SHAPE',
  ],
  ['a guide with an endless margin', { guide: guide({ margin: Number.POSITIVE_INFINITY }) }, 'ERR_VALUE'],
  ['a teacher, ntxent', { objective: 'ntxent', teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher, siglip', { objective: 'siglip', teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher, supcon', { ...supcon, teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher, directions', { objective: 'infonce', directions: 1, teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher, hard negatives', { hardNegatives: matrix(rows), teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher, hardness', { hardness: 1, teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher on a device', { backend: 'cuda', teacher: teacher() }, 'ERR_VALUE'],
  ['a teacher of fewer queries', { teacher: teacher({ queries: matrix(rows - 1, 3) }) }, 'ERR_SHAPE'],
  ['a teacher of two widths', { teacher: teacher({ keys: matrix(rows, 4) }) }, 'ERR_SHAPE'],
  ['a teacher without scale', { teacher: teacher({ logitScale: 0 }) }, 'ERR_VALUE'],
  ['a teacher of endless weight', { teacher: teacher({ weight: Number.POSITIVE_INFINITY }) }, 'ERR_VALUE'],
  ['a teacher of negative weight', { teacher: teacher({ weight: -1 }) }, 'ERR_VALUE'],
  ['labels, clip', { labels: ints(rows) }, 'ERR_VALUE'],
  ['labels, siglip', { objective: 'siglip', labels: ints(rows) }, 'ERR_VALUE'],
  ['labels, directions', { objective: 'infonce', directions: 1, labels: ints(rows) }, 'ERR_VALUE'],
  ['classes, clip', { queryClasses: ints(rows) }, 'ERR_VALUE'],
  ['classes of keys, infonce', { objective: 'infonce', keyClasses: ints(rows) }, 'ERR_VALUE'],
  ['ids, supcon', { ...supcon, ...ids }, 'ERR_VALUE'],
  ['ids of hard negatives alone', { hardNegatives: matrix(rows), hardNegativeIds: ints(rows) }, 'ERR_VALUE'],
  ['ids of no hard negatives', { ...ids, hardNegativeIds: ints(rows) }, 'ERR_VALUE'],
  [
    'too few ids of hard negatives',
    { ...ids, hardNegatives: matrix(rows), hardNegativeIds: ints(rows - 1) },
    'ERR_SHAPE',
  ],
  ['ids of queries alone', { queryIds: ints(rows) }, 'ERR_VALUE'],
  ['ids of keys alone', { keyIds: ints(rows) }, 'ERR_VALUE'],
  ['weights, supcon', { ...supcon, queryWeights: floats(rows).fill(1) }, 'ERR_VALUE'],
  ['smoothing, supcon', { ...supcon, labelSmoothing: 0.1 }, 'ERR_VALUE'],
  ['smoothing, siglip', { objective: 'siglip', labelSmoothing: 0.1 }, 'ERR_VALUE'],
  ['hardness, supcon', { ...supcon, hardness: 1 }, 'ERR_VALUE'],
  ['hardness, siglip', { objective: 'siglip', hardNegativeHardness: 1 }, 'ERR_VALUE'],
  ['smoothing and hardness', { labelSmoothing: 0.1, hardness: 1 }, 'ERR_VALUE'],
  ['a bias, clip', { logitBias: 1 }, 'ERR_VALUE'],
  ['directions, clip', { directions: 1 }, 'ERR_VALUE'],
  ['directions without the positive', { objective: 'infonce', directions: 2 }, 'ERR_VALUE'],
  ['directions beyond', { objective: 'infonce', directions: 17 }, 'ERR_VALUE'],
  ['directions of a higher word', { objective: 'infonce', directions: 2 ** 32 + 1 }, 'ERR_VALUE'],
  // numbers
  ['no scale', { logitScale: 0 }, 'ERR_VALUE'],
  ['a scale of NaN', { logitScale: Number.NaN }, 'ERR_VALUE'],
  ['a scale beyond float32', { logitScale: 1e39 }, 'ERR_VALUE'],
  ['an endless margin', { falseNegativeMargin: Number.POSITIVE_INFINITY }, 'ERR_VALUE'],
  ['a bias of NaN', { objective: 'siglip', logitBias: Number.NaN }, 'ERR_VALUE'],
  ['all smoothing', { labelSmoothing: 1 }, 'ERR_VALUE'],
  ['all filtered', { gradientFilter: 1 }, 'ERR_VALUE'],
  ['negative hardness', { hardness: -1 }, 'ERR_VALUE'],
  ['too many threads', { threads: 1025 }, 'ERR_VALUE'],
  ['threads beyond int', { threads: 2 ** 32 + 1 }, 'ERR_VALUE'],
];

/** Errors of the addon are of Node's realm and not of this test's, so their class is not compared. */
function expectCode(error: unknown, code: string): void {
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^\[(request|plan)\] Expected/) });
}

it.each(refusals)('%s is refused', async (_, change, code) => {
  const bad = request(change);
  expectCode(
    thrownBy(() => binding.contrastiveSync(bad)),
    code,
  );
  expectCode(
    thrownBy(() => binding.contrastive(bad)),
    code,
  );
  expect(binding.contrastiveSync(request({})).loss).toBeGreaterThan(0);
});

it.each([
  ['no keys', { keys: 0 }, 'ERR_TYPE'],
  ['unequal sides', { keys: 5 }, 'ERR_SHAPE'],
  ['more than memory holds', { queries: 2 ** 52, keys: 2 ** 52 }, 'ERR_SHAPE'],
  ['no rows', { queries: 0, keys: 0, objective: 'supcon' as const }, 'ERR_SHAPE'],
  ['too many threads', { threads: 2 ** 40 }, 'ERR_VALUE'],
])('a plan of %s is refused', (_, change, code) => {
  const right = { queries: 4, keys: 4, dim: 4, dtype: 'float32', bfloat16: false, gradient: true } as const;
  const rest = { objective: 'clip', backend: 'cpu', device: 0, threads: 0, workspaceBytes: 0 } as const;
  expectCode(
    thrownBy(() => binding.plan({ ...right, ...rest, ...change })),
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
