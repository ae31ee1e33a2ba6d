/**
 * Every property that a caller passes is read once, nested ones included, and what was read is what is used.
 * So a getter that answers differently the second time can neither get past a check nor reach native code.
 */
import type { ContrastiveOptions } from '../../lib/loss/contrastive-loss';
import { readOptions } from '../../lib/loss/resolve';
import type { Features } from '../../lib/matrix/features';
import { fakeNative, matrix, thrownBy } from './fake-binding';

/**
 * The same object, whose properties, and those of plain objects and lists in it, count how often they
 * are read.
 */
function counted<T>(value: T, counts: Map<string, number>, path = ''): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const copy = Array.isArray(value) ? new Array(value.length) : {};
  for (const [name, inner] of Object.entries(value)) {
    const place = `${path}.${name}`;
    const wrapped = counted(inner, counts, place);
    counts.set(place, 0);
    Object.defineProperty(copy, name, {
      enumerable: true,
      get() {
        counts.set(place, counts.get(place)! + 1);
        return wrapped;
      },
    });
  }
  return copy as T;
}

const bits = { data: new Uint16Array(12), dims: [3, 4], type: 'float16' } as unknown as Features;
const ndarray = {
  data: new Float32Array(12),
  shape: [3, 4],
  stride: [4, 1],
  strides: [4, 1],
  offset: 0,
} as unknown as Features;
const strided = { data: new Float32Array(14), shape: [3, 4], dims: [3, 4], dtype: 'float32', rowStride: 5 };
const ids = () => new Int32Array(3);

it.each<[string, ContrastiveOptions]>([
  [
    'clip with hard negatives',
    {
      objective: 'clip',
      logitScale: 2,
      queryIds: ids(),
      keyIds: ids(),
      falseNegativeMargin: 0.1,
      hardNegatives: { keys: strided as unknown as Features, perQuery: 1 },
      guide: {
        queries: bits,
        keys: strided as unknown as Features,
        hardNegatives: ndarray,
        margin: 0.1,
        relative: true,
      },
      queryWeights: new Float32Array(3).fill(1),
      hardness: { strength: 1, on: 'all' },
      grad: { queries: true, keys: true, hardNegatives: true },
      perRow: true,
      compute: 'float32',
      gradientFilter: 0.1,
      backend: 'cpu',
      device: 0,
      threads: 1,
      workspaceBytes: 1e6,
      out: {
        queryGrads: new Float32Array(12),
        keyGrads: new Float32Array(12),
        hardNegativeGrads: new Float32Array(12),
      },
    },
  ],
  ['directions', { directions: ['queryToKey', 'keyToKey'], partition: 'joint', labelSmoothing: 0.1 }],
  [
    'lists and ragged hard negatives',
    {
      labels: { offsets: Int32Array.of(0, 1, 2, 3), keys: ids() },
      excludePairs: { offsets: Int32Array.of(0, 1, 2, 3), keys: ids() },
      hardNegatives: { keys: strided as unknown as Features, offsets: Int32Array.of(0, 1, 1, 3), ids: ids() },
      queryIds: ids(),
      keyIds: ids(),
    },
  ],
  [
    'a teacher',
    { teacher: { queries: bits, keys: strided as unknown as Features, logitScale: 10, weight: 0.5 } },
  ],
  ['labels and a bank', { objective: 'infonce', labels: ids(), grad: { keys: { rows: 2 } } }],
  ['siglip', { objective: 'siglip', logitBias: -1 }],
])('%s: each property is read exactly once', (_, options) => {
  const counts = new Map<string, number>();
  const { functions, requests } = fakeNative();
  functions.contrastiveLossAndGradSync(
    counted(bits, counts, 'queries'),
    counted(ndarray, counts, 'keys'),
    counted(options, counts, 'options'),
  );
  expect(requests).toHaveLength(1);
  const others = [...counts].filter(([, reads]) => reads !== 1);
  // with `dtype` absent, `type` is read; with `out` of arrays, their elements are not
  expect(others).toEqual([]);
});

/** `options` with a property that is `first` when read for the first time, and `then` ever after. */
function changing(options: object, name: string, first: unknown, then: unknown): ContrastiveOptions {
  let reads = 0;
  const get = () => (reads++ === 0 ? first : then);
  return Object.defineProperty({ ...options }, name, { enumerable: true, get }) as ContrastiveOptions;
}

describe('the first answer of a getter is the one that counts', () => {
  it.each([
    [
      'hard negatives for siglip',
      { objective: 'siglip' },
      'hardNegatives',
      { keys: matrix(6, 4), perQuery: 2 },
    ],
    ['a margin for supcon', { objective: 'supcon', labels: ids() }, 'falseNegativeMargin', 0.1],
  ])('%s', (_, options, name, then) => {
    const { functions, requests } = fakeNative();
    functions.contrastiveLossSync(matrix(3, 4), matrix(3, 4), changing(options, name, undefined, then));
    expect(requests[0]).toMatchObject({ hardNegatives: null, falseNegativeMargin: null });
  });

  it('labels that vanish: fewer keys than queries stay allowed, and the labels reach the native side', () => {
    const { functions, requests } = fakeNative();
    const options = changing({ objective: 'infonce' }, 'labels', ids(), undefined);
    functions.contrastiveLossSync(matrix(3, 4), matrix(1, 4), options);
    expect(requests[0]!.labels).toEqual(ids());
  });

  it('a shape, in its own elements as well', () => {
    const { functions, requests } = fakeNative();
    const shape = changing([], '0', 3, 300) as unknown as [number, number];
    Object.defineProperty(shape, '1', { value: 4 });
    Object.defineProperty(shape, 'length', { value: 2 });
    functions.contrastiveLossSync({ data: new Float32Array(12), shape }, matrix(3, 4));
    expect(requests[0]!.queries).toMatchObject({ rows: 3, dim: 4 });
  });

  it('data of features', () => {
    const { functions, requests } = fakeNative();
    const data = new Float32Array(12);
    const queries = changing({ shape: [3, 4] }, 'data', data, new Float32Array(1)) as unknown as Features;
    functions.contrastiveLossSync(queries, matrix(3, 4));
    expect(requests[0]!.queries.data).toBe(data);
  });
});

describe('the snapshot of options', () => {
  it('is an options object itself, and reading it again changes nothing', () => {
    const options: ContrastiveOptions = {
      directions: ['queryToKey'],
      hardNegatives: { keys: bits, perQuery: 1 },
      hardness: { strength: 1, on: 'hard' },
      grad: { keys: { rows: 2 } },
      out: { queryGrads: new Float32Array(12) },
    };
    const snapshot = readOptions(options);
    expect(readOptions(snapshot)).toEqual(snapshot);
    expect(snapshot.out!.queryGrads).toBe(options.out!.queryGrads);
    const { requests, functions } = fakeNative();
    functions.contrastiveLossAndGradSync(matrix(3, 4), matrix(3, 4), snapshot);
    functions.contrastiveLossAndGradSync(matrix(3, 4), matrix(3, 4), options);
    expect(requests[0]).toEqual(requests[1]);
  });

  it('has an object of its own for every object that the caller may still change', () => {
    const options = { hardness: { strength: 1, on: 'inBatch' as const }, grad: { keys: { rows: 2 } } };
    const snapshot = readOptions(options);
    options.hardness.strength = -1;
    options.grad.keys.rows = 0;
    expect(snapshot).toMatchObject({ hardness: { strength: 1 }, grad: { keys: { rows: 2 } } });
  });

  it.each<[string, object, string]>([
    ['an unknown name', { logitscale: 1 }, 'ERR_OPTION'],
    ['an unknown name further in', { grad: { querys: true } }, 'ERR_OPTION'],
    ['what does not belong to the objective', { objective: 'supcon', falseNegativeMargin: 1 }, 'ERR_VALUE'],
    ['supcon without labels', { objective: 'supcon' }, 'ERR_TYPE'],
    ['ids of one side', { queryIds: new Int32Array(3) }, 'ERR_VALUE'],
    ['labels of another type', { objective: 'infonce', labels: [1] }, 'ERR_TYPE'],
    ['weights below zero', { queryWeights: Float32Array.of(-1) }, 'ERR_VALUE'],
    ['hard negatives of another type', { hardNegatives: { keys: 1, perQuery: 1 } }, 'ERR_TYPE'],
    ['outputs of another type', { out: { keyGrads: [] } }, 'ERR_TYPE'],
    ['half a thread', { threads: 0.5 }, 'ERR_VALUE'],
    ['an unknown backend', { backend: 'tpu' }, 'ERR_VALUE'],
    ['a filter of one', { gradientFilter: 1 }, 'ERR_VALUE'],
    ['a controller as signal', { signal: new AbortController() }, 'ERR_TYPE'],
    ['a number as onProgress', { onProgress: 1 }, 'ERR_TYPE'],
    ['a number', 5 as unknown as object, 'ERR_TYPE'],
  ])('finds %s without features', (_, options, code) => {
    expect(thrownBy(() => readOptions(options)).code).toBe(code);
  });
});
