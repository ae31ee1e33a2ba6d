/**
 * Requests as lib makes them for native code, and the parts of one. Tests of the native side change a part.
 */
import {
  type ContrastiveRequest,
  Direction,
  type NativeGuide,
  type NativeHostMatrix,
  type NativeTeacher,
} from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';

export const [rows, dim] = [12, 5];
export const binding = loadBinding();

export function matrix(count: number, columns = dim): NativeHostMatrix {
  const data = Float32Array.from({ length: count * columns }, (_, i) => Math.sin(i));
  return { data, dtype: 'float32', rows: count, dim: columns, rowStride: columns };
}

export const floats = (length: number) => new Float32Array(length);
export const ints = (length: number, value = 0) => new Int32Array(length).fill(value);

/** A request that is right; `change` makes it another. */
export function request(change: Partial<ContrastiveRequest>): ContrastiveRequest {
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

export const lists = (lengths: number[], keys: number[]) => {
  let end = 0;
  const offsets = Int32Array.from([0, ...lengths.map((length) => (end += length))]);
  return { offsets, keys: Int32Array.from(keys) };
};
/** The same keys for the first query, and none for the others. */
export const ofFirst = (...keys: number[]) => lists([keys.length, ...new Array(rows - 1).fill(0)], keys);

export const ofEach = (key: number) => lists(new Array(rows).fill(1), new Array(rows).fill(key));
/** All hard negatives are those of the second query. */
export const ragged = (count: number) => ints(rows + 1).fill(count, 2);

export const all = Direction.queryToKey | Direction.keyToQuery | Direction.queryToQuery | Direction.keyToKey;
export const ids = { queryIds: ints(rows), keyIds: ints(rows) };
export const supcon = { objective: 'supcon', queryClasses: ints(rows), keyClasses: ints(rows) } as const;
export const alone = { objective: 'supcon', queryClasses: ints(rows), keys: null } as const;
export const guide = (change: Partial<NativeGuide> = {}): NativeGuide => ({
  queries: matrix(rows, 3),
  keys: matrix(rows, 3),
  hardNegatives: null,
  margin: 0,
  relative: false,
  ...change,
});
export const teacher = (change: Partial<NativeTeacher> = {}): NativeTeacher => ({
  queries: matrix(rows, 3),
  keys: matrix(rows, 3),
  logitScale: 5,
  weight: 0.5,
  ...change,
});
export const lossOnly = { gradient: false, queryGrads: null, keyGrads: null } as const;

/** Errors of the addon are of Node's realm and not of this test's, so their class is not compared. */
export function expectCode(error: unknown, code: string): void {
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^\[(request|plan)\] Expected/) });
}
