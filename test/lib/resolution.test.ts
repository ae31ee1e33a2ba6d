/**
 * Options in the native request: the defaults of every objective, and the given values.
 */
import { type AnyContrastiveOptions, contrastiveLossAndGradSync } from '../../lib';
import type { ContrastiveOptions, Objective } from '../../lib/loss/contrastive-loss';
import type { ContrastiveRequest } from '../../lib/native/binding';
import { fakeNative, fakeResponse, matrix } from './fake-binding';

const classes = Int32Array.of(0, 1, 1);

function requestOf(
  options?: AnyContrastiveOptions,
  queries = matrix(3, 4),
  keys: ReturnType<typeof matrix> | null = matrix(3, 4),
): ContrastiveRequest {
  const { functions, requests } = fakeNative();
  functions.contrastiveLossAndGradSync(queries, keys, options);
  return requests[0]!;
}

it('defaults', () => {
  const [queries, keys] = [matrix(3, 4), matrix(3, 4)];
  const request = requestOf(undefined, queries, keys);
  const native = { dtype: 'float32', rows: 3, dim: 4, rowStride: 4 };
  expect(request).toEqual({
    queries: { ...native, data: queries.data },
    keys: { ...native, data: keys.data },
    objective: 'clip',
    directions: 0,
    jointPartition: true,
    logitScale: 1 / 0.07,
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
    queryGrads: new Float32Array(12),
    keyGrads: new Float32Array(12),
    hardNegativeGrads: null,
    rows: null,
    backend: 'cpu',
    device: 0,
    group: null,
    threads: 0,
    workspaceBytes: 0,
    control: new Int32Array(3),
  });
  // the caller's memory, not a copy
  expect(request.queries.data).toBe(queries.data);
  expect(request.keys!.data).toBe(keys.data);
});

it('undefined is the same as absent', () => {
  const names: (keyof ContrastiveOptions)[] = [
    'objective',
    'logitScale',
    'logitBias',
    'labels',
    'queryIds',
    'directions',
    'partition',
    'grad',
    'out',
    'signal',
    'onProgress',
    'backend',
    'threads',
  ];
  const options = Object.fromEntries(names.map((name) => [name, undefined]));
  expect(requestOf(options)).toEqual(requestOf());
});

it.each<[Objective, number]>([
  ['clip', 0],
  ['infonce', 0],
  ['ntxent', 0],
  ['supcon', 0],
  ['siglip', -10],
])('%s has bias %d unless told otherwise', (objective, logitBias) => {
  const labels = objective === 'supcon' ? classes : undefined;
  expect(requestOf({ objective, labels })).toMatchObject({ objective, logitBias, logitScale: 1 / 0.07 });
});

const hard = matrix(6, 4);
const weights = Float32Array.of(1, 0, 2.5);
const ids = { queryIds: Int32Array.of(7, 8, 9), keyIds: Int32Array.of(9, 8, 7) };

it.each<[string, ContrastiveOptions, Partial<ContrastiveRequest>]>([
  ['a scale', { logitScale: 100 }, { logitScale: 100 }],
  ['a bias', { objective: 'siglip', logitBias: 0 }, { logitBias: 0 }],
  ['labels', { objective: 'infonce', labels: classes }, { labels: classes, queryClasses: null }],
  [
    'classes',
    { objective: 'supcon', labels: classes },
    { labels: null, queryClasses: classes, keyClasses: classes },
  ],
  ['ids', ids, ids],
  [
    'ids of hard negatives',
    { ...ids, hardNegatives: { keys: hard, perQuery: 2, ids: Int32Array.of(1, 2, 3, 4, 5, 6) } },
    { ...ids, hardNegativeIds: Int32Array.of(1, 2, 3, 4, 5, 6) },
  ],
  [
    'excluded pairs, sorted',
    { excludePairs: { offsets: Int32Array.of(0, 2, 2, 3), keys: Int32Array.of(2, 0, 1) } },
    { excludedPairs: { offsets: Int32Array.of(0, 2, 2, 3), keys: Int32Array.of(0, 2, 1) } },
  ],
  [
    'lists of positives, sorted',
    { objective: 'infonce', labels: { offsets: Int32Array.of(0, 2, 3, 4), keys: Int32Array.of(2, 0, 1, 2) } },
    { labels: null, positives: { offsets: Int32Array.of(0, 2, 3, 4), keys: Int32Array.of(0, 2, 1, 2) } },
  ],
  [
    'no list for a query of weight 0',
    {
      objective: 'infonce',
      labels: { offsets: Int32Array.of(0, 1, 1, 2), keys: Int32Array.of(2, 0) },
      queryWeights: weights,
    },
    { positives: { offsets: Int32Array.of(0, 1, 1, 2), keys: Int32Array.of(2, 0) } },
  ],
  [
    'ragged hard negatives',
    { hardNegatives: { keys: hard, offsets: Int32Array.of(0, 4, 4, 6) } },
    { hardNegativeOffsets: Int32Array.of(0, 4, 4, 6), hardNegativeGrads: new Float32Array(24) },
  ],
  ['a margin of zero', { falseNegativeMargin: 0 }, { falseNegativeMargin: 0 }],
  ['a negative margin', { falseNegativeMargin: -0.1 }, { falseNegativeMargin: -0.1 }],
  [
    'directions imply infonce',
    { directions: ['queryToKey', 'keyToKey'] },
    { objective: 'infonce', directions: 9 },
  ],
  [
    'all directions, repeated, one partition each',
    {
      directions: ['keyToKey', 'queryToQuery', 'keyToQuery', 'queryToKey', 'queryToKey'],
      partition: 'perDirection',
    },
    { directions: 15, jointPartition: false },
  ],
  ['smoothing', { labelSmoothing: 0.1 }, { labelSmoothing: 0.1 }],
  ['weights', { queryWeights: weights }, { queryWeights: weights }],
  [
    'hardness in the batch',
    { hardness: { strength: 9, on: 'inBatch' } },
    { hardness: 9, hardNegativeHardness: 0 },
  ],
  [
    'hardness of hard negatives',
    { hardNegatives: { keys: hard, perQuery: 2 }, hardness: { strength: 5, on: 'hard' } },
    {
      hardness: 0,
      hardNegativeHardness: 5,
      hardNegatives: { data: hard.data, dtype: 'float32', rows: 6, dim: 4, rowStride: 4 },
    },
  ],
  ['hardness of all', { hardness: { strength: 2, on: 'all' } }, { hardness: 2, hardNegativeHardness: 2 }],
  ['bfloat16 arithmetic', { compute: 'bfloat16' }, { bfloat16: true }],
  ['a gradient filter', { gradientFilter: 0.01 }, { gradientFilter: 0.01 }],
  ['resources', { threads: 3, workspaceBytes: 1e6 }, { threads: 3, workspaceBytes: 1e6 }],
  ['frozen queries', { grad: { queries: false } }, { queryGrads: null, keyGrads: new Float32Array(12) }],
  ['frozen keys', { grad: { keys: false } }, { queryGrads: new Float32Array(12), keyGrads: null }],
  ['a bank', { grad: { keys: { rows: 2 } } }, { keyGrads: new Float32Array(8) }],
  [
    'hard negatives have a gradient',
    { hardNegatives: { keys: hard, perQuery: 2 } },
    { hardNegativeGrads: new Float32Array(24) },
  ],
  [
    'unless keys have none',
    { hardNegatives: { keys: hard, perQuery: 2 }, grad: { keys: false } },
    { hardNegativeGrads: null },
  ],
  [
    'or they are frozen',
    { hardNegatives: { keys: hard, perQuery: 2 }, grad: { hardNegatives: false } },
    { hardNegativeGrads: null },
  ],
  [
    'rows',
    { perRow: true },
    { rows: { loss: new Float32Array(3), lse: new Float32Array(3), positiveFirst: new Uint8Array(3) } },
  ],
])('%s', (_, options, expected) => {
  expect(requestOf(options)).toMatchObject(expected);
});

it('supcon over the queries alone', () => {
  const request = requestOf({ objective: 'supcon', labels: classes }, matrix(3, 4), null);
  expect(request).toMatchObject({ keys: null, queryClasses: classes, keyClasses: null, keyGrads: null });
});

it('labels and weights are copies: what has been checked cannot change under the native side', () => {
  const labels = Int32Array.from(classes);
  const request = requestOf({ objective: 'infonce', labels, queryWeights: weights });
  expect(request.labels!.buffer).not.toBe(labels.buffer);
  expect(request.queryWeights!.buffer).not.toBe(weights.buffer);
});

it('lists are copies too', () => {
  const labels = { offsets: Int32Array.of(0, 1, 2, 3), keys: Int32Array.of(0, 1, 2) };
  const hardNegatives = { keys: hard, offsets: Int32Array.of(0, 1, 1, 6) };
  const request = requestOf({ labels, excludePairs: labels, hardNegatives });
  for (const { offsets, keys } of [request.positives!, request.excludedPairs!]) {
    expect(offsets.buffer).not.toBe(labels.offsets.buffer);
    expect(keys.buffer).not.toBe(labels.keys.buffer);
  }
  expect(request.hardNegativeOffsets!.buffer).not.toBe(hardNegatives.offsets.buffer);
});

it('lists of positives allow clip any number of keys', () => {
  const labels = { offsets: Int32Array.of(0, 1, 2, 3), keys: Int32Array.of(0, 1, 0) };
  for (const keys of [2, 5])
    expect(requestOf({ labels }, matrix(3, 4), matrix(keys, 4)).keys!.rows).toBe(keys);
});

describe('matrices', () => {
  const half = { data: new Uint16Array(14), dims: [3, 4] };

  it('an onnxruntime tensor, a stride, 16 bits', () => {
    const strided = { ...half, dtype: 'bfloat16', rowStride: 5 } as const;
    const request = requestOf({}, { ...half, type: 'float16' } as never, strided);
    expect(request.queries).toEqual({ data: half.data, dtype: 'float16', rows: 3, dim: 4, rowStride: 4 });
    expect(request.keys).toEqual({ data: half.data, dtype: 'bfloat16', rows: 3, dim: 4, rowStride: 5 });
  });

  it.each([
    ['bfloat16', 'bfloat16', true],
    ['bfloat16', 'float16', false],
    ['float16', 'float16', false],
  ] as const)('%s queries and %s keys: bfloat16 arithmetic is %p', (a, b, bfloat16) => {
    const [queries, keys] = [a, b].map((dtype) => ({ ...half, dtype }));
    expect(requestOf({}, queries, keys).bfloat16).toBe(bfloat16);
    expect(requestOf({ compute: 'float32' }, queries, keys).bfloat16).toBe(false);
  });

  it('more data than the shape needs is left alone', () => {
    const data = new Float32Array(100);
    expect(requestOf({}, { data, shape: [3, 4] }).queries).toMatchObject({ data, rows: 3 });
  });
});

it('what the native side finds is what the caller gets', async () => {
  const { functions, requests } = fakeNative();
  const result = await functions.contrastiveLossAndGrad(matrix(3, 4), matrix(3, 4), { perRow: true });
  const { queryGrads, keyGrads, rows } = requests[0]!;
  expect(result).toEqual({
    ...fakeResponse,
    stats: { backend: 'cpu', device: null, ...fakeResponse.stats },
    queryGrads,
    keyGrads,
    rows,
  });
  expect(result.queryGrads).toBe(queryGrads);
  const loss = await functions.contrastiveLoss(matrix(3, 4), matrix(3, 4));
  expect(Object.keys(loss).sort()).toEqual(['accuracy', 'loss', 'stats']);
});

it('the addon takes the representative request as it is', () => {
  const unit = { data: new Float32Array(12).fill(0.5), shape: [3, 4] } as const;
  const options = { ...ids, queryWeights: weights, labelSmoothing: 0.1, perRow: true };
  const result = contrastiveLossAndGradSync(unit, unit, options);
  expect(result.loss).toBeGreaterThan(0);
  expect(result.rows!.lse).toHaveLength(3);
});
