/**
 * The native side takes exactly the mappings that lib makes. A request that breaks a rule of lib is an error with a
 * code: never a crash, and never a result.
 */
import { statSync, writeFileSync } from 'node:fs';
import type {
  ContrastiveRequest,
  MappingHandle,
  MappingRequest,
  NativeMappedMatrix,
} from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';
import { temporaryFolder } from './stores';

const path = temporaryFolder();
const binding = loadBinding();
const [rows, dim] = [12, 5];
const bytes = rows * dim * 4;

beforeAll(() =>
  writeFileSync(
    path('file'),
    Float32Array.from({ length: 100 }, (_, i) => Math.sin(i)),
  ),
);

const open = (change: Partial<MappingRequest> = {}) =>
  binding.openMapping({ path: path('file'), offset: 0, bytes, writable: false, expected: null, ...change });
const codeOf = (run: () => unknown) => {
  try {
    run();
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

it.each<[string, Record<string, unknown>, string]>([
  ['no path', { path: undefined }, 'ERR_TYPE'],
  ['a path with a zero byte', { path: 'a\0b' }, 'ERR_STORE'],
  ['an empty path', { path: '' }, 'ERR_STORE'],
  ['a negative offset', { offset: -4 }, 'ERR_TYPE'],
  ['an offset that is no number', { offset: '0' }, 'ERR_TYPE'],
  ['NaN bytes', { bytes: Number.NaN }, 'ERR_TYPE'],
  ['no bytes', { bytes: 0 }, 'ERR_STORE'],
  ['the most bytes', { bytes: Number.MAX_SAFE_INTEGER }, 'ERR_STORE'],
  ['the last offset', { offset: Number.MAX_SAFE_INTEGER }, 'ERR_STORE'],
  ['bytes beyond the end', { offset: 164 }, 'ERR_STORE'],
  ['a word for writable', { writable: 'yes' }, 'ERR_TYPE'],
  ['an expected file without fields', { expected: {} }, 'ERR_TYPE'],
  ['an expected file of numbers', { expected: { dev: 1, ino: 1, size: 1, mtimeNs: 1 } }, 'ERR_TYPE'],
])('openMapping refuses %s', (_, change, code) => {
  expect(codeOf(() => open(change as Partial<MappingRequest>))).toBe(code);
});

it('openMapping takes the identity that Node reports, and no other one', () => {
  const { dev, ino, size, mtimeNs } = statSync(path('file'), { bigint: true });
  const expected = { dev, ino, size, mtimeNs };
  binding.releaseMapping(open({ expected }));
  for (const name of ['ino', 'size', 'mtimeNs'] as const) {
    const other = { ...expected, [name]: expected[name] + 1n };
    expect(codeOf(() => open({ expected: other }))).toBe('ERR_STORE');
  }
});

describe('readMapping', () => {
  const read = (change: Record<string, unknown>) => {
    const mapping = open({ offset: 8 });
    const into = new Float32Array(4);
    binding.readMapping({ mapping, dtype: 'float32', offset: 4, elements: 4, into, ...change } as never);
    return into;
  };

  it('copies', () => expect(read({})).toEqual(Float32Array.from([3, 4, 5, 6], Math.sin)));

  it.each<[string, Record<string, unknown>, string]>([
    ['bytes beyond the mapping', { offset: bytes - 12 }, 'ERR_STORE'],
    ['the last offset', { offset: Number.MAX_SAFE_INTEGER }, 'ERR_STORE'],
    ['more elements than the array has', { elements: 5 }, 'ERR_SHAPE'],
    ['more bytes than a number counts', { elements: Number.MAX_SAFE_INTEGER }, 'ERR_SHAPE'],
    ['an array of another type', { dtype: 'float16' }, 'ERR_TYPE'],
    ['no mapping', { mapping: {} }, 'ERR_TYPE'],
  ])('refuses %s', (_, change, code) => expect(codeOf(() => read(change))).toBe(code));
});

describe('a call', () => {
  const matrix = (data: MappingHandle, change: Partial<NativeMappedMatrix> = {}): NativeMappedMatrix => ({
    ...{ data, dtype: 'float32', rows, dim, rowStride: dim },
    ...change,
  });
  const call = (change: Partial<ContrastiveRequest>) => {
    const queries = matrix(open());
    const none = { labels: null, queryClasses: null, keyClasses: null, queryIds: null, keyIds: null };
    const lists = { positives: null, excludedPairs: null, hardNegativeOffsets: null };
    const terms = { falseNegativeMargin: null, labelSmoothing: 0, queryWeights: null };
    const negatives = { hardNegatives: null, hardNegativeIds: null };
    const outputs = { queryGrads: null, keyGrads: null, hardNegativeGrads: null, rows: null };
    const numbers = { logitScale: 5, logitBias: 0, hardness: 0, hardNegativeHardness: 0, gradientFilter: 0 };
    const how = {
      group: null,
      gradient: true,
      bfloat16: false,
      threads: 1,
      workspaceBytes: 0,
      control: new Int32Array(3),
    };
    const objective = {
      backend: 'cpu',
      device: 0,
      objective: 'clip',
      directions: 0,
      jointPartition: true,
      guide: null,
      teacher: null,
    } as const;
    const request = {
      ...none,
      ...lists,
      ...terms,
      ...negatives,
      ...outputs,
      ...numbers,
      ...how,
      ...objective,
      queries,
      keys: queries,
    };
    return binding.contrastiveSync({ ...request, ...change }).loss;
  };

  it('reads a mapping', () => expect(call({})).toBeGreaterThan(0));

  it.each<[string, () => Partial<ContrastiveRequest>, string]>([
    ['more rows than are mapped', () => ({ keys: matrix(open(), { rows: rows + 1 }) }), 'ERR_SHAPE'],
    [
      'rows with gaps beyond the mapping',
      () => ({ keys: matrix(open(), { rowStride: dim + 1 }) }),
      'ERR_SHAPE',
    ],
    ['elements between two others', () => ({ keys: matrix(open({ offset: 2 })) }), 'ERR_STORE'],
    ['a gradient into a read-only file', () => ({ keyGrads: matrix(open()) }), 'ERR_TYPE'],
    [
      'a gradient with gaps',
      () => ({ keyGrads: matrix(open({ writable: true, bytes: 400 }), { rowStride: dim + 1 }) }),
      'ERR_SHAPE',
    ],
    [
      'a gradient of 16 bits',
      () => ({ keyGrads: matrix(open({ writable: true }), { dtype: 'float16' }) }),
      'ERR_SHAPE',
    ],
  ])('refuses %s', (_, change, code) => expect(codeOf(() => call(change()))).toBe(code));

  it('refuses a handle that was released, and keeps a second one of the same file', () => {
    const first = open();
    const second = binding.shareMapping(first);
    binding.releaseMapping(first);
    binding.releaseMapping(first);
    expect(codeOf(() => call({ keys: matrix(first) }))).toBe('ERR_DISPOSED');
    expect(codeOf(() => binding.shareMapping(first))).toBe('ERR_DISPOSED');
    expect(codeOf(() => binding.memoryAddress(first))).toBe('ERR_DISPOSED');
    expect(call({ keys: matrix(second) })).toBeGreaterThan(0);
  });
});
