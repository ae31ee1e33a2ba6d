/**
 * Outputs that share memory with an input or with each other are refused by address, on the addon. Other
 * objects on the memory, and properties put on an array, do not matter.
 */
import {
  type ContrastiveOptions,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync as lossAndGrad,
} from '../../lib';
import { makePair } from '../reference/inputs';
import { expectError, thrownBy } from './fake-binding';

const [rows, dim] = [8, 4];
const elements = rows * dim;
const { queries, keys } = makePair({ rows, dim, seed: 91 });
const overlapError = (message: string) => ({ type: RangeError, code: 'ERR_OVERLAP', message });

type SharedMemory = new (o: {
  initial: number;
  maximum: number;
  shared: true;
}) => {
  buffer: SharedArrayBuffer;
  grow(pages: number): number;
};

/** Pairs of buffer objects of which both lie on one memory. */
const twins: [string, () => [ArrayBufferLike, ArrayBufferLike]][] = [
  [
    'a SharedArrayBuffer and its clone',
    () => {
      const memory = new SharedArrayBuffer(4 * elements);
      return [memory, structuredClone(memory)];
    },
  ],
  [
    'a WebAssembly memory before and after it grew',
    () => {
      const Memory = (globalThis as unknown as { WebAssembly: { Memory: SharedMemory } }).WebAssembly.Memory;
      const memory = new Memory({ initial: 1, maximum: 2, shared: true });
      const before = memory.buffer;
      memory.grow(1);
      return [before, memory.buffer];
    },
  ],
];

describe.each(twins)('%s are one memory', (_, make) => {
  it('as two outputs', () => {
    const [one, other] = make();
    expect(one).not.toBe(other);
    const out = {
      queryGrads: new Float32Array(one, 0, elements),
      keyGrads: new Float32Array(other, 0, elements),
    };
    expectError(
      thrownBy(() => lossAndGrad(queries, keys, { out })),
      overlapError('options.out.queryGrads not to share memory with options.out.keyGrads'),
    );
  });

  it('as input and output', async () => {
    const [one, other] = make();
    const data = new Float32Array(one, 0, elements);
    data.set(queries.data);
    const options = { out: { keyGrads: new Float32Array(other, 0, elements) } };
    const expected = overlapError('options.out.keyGrads not to share memory with queries.data');
    expectError(
      thrownBy(() => lossAndGrad({ ...queries, data }, keys, options)),
      expected,
    );
    const rejected = contrastiveLossAndGrad({ ...queries, data }, keys, options);
    expectError(await rejected.catch((error) => error), expected);
  });
});

it.each(['queryIds', 'keyIds'] as const)('outputs over %s', (name) => {
  const memory = new ArrayBuffer(4 * elements);
  const ids = { queryIds: new Int32Array(rows), keyIds: new Int32Array(rows) };
  const options: ContrastiveOptions = {
    ...ids,
    [name]: new Int32Array(memory, 0, rows),
    out: { queryGrads: new Float32Array(memory) },
  };
  expectError(
    thrownBy(() => lossAndGrad(queries, keys, options)),
    overlapError(`options.out.queryGrads not to share memory with options.${name}`),
  );
});

it('memory behind the last element that the shape needs is free to be written', () => {
  const memory = new Float32Array(2 * elements);
  memory.set(queries.data);
  const out = { queryGrads: memory.subarray(elements) };
  const result = lossAndGrad({ data: memory, shape: [rows, dim] }, keys, { out });
  expect(result.queryGrads).toEqual(lossAndGrad(queries, keys).queryGrads);
});

describe('own properties do not hide what an array is', () => {
  const hiding = <T extends object>(array: T, properties: Record<string, unknown>): T => {
    for (const [name, value] of Object.entries(properties)) Object.defineProperty(array, name, { value });
    return array;
  };

  it('a resizable buffer', () => {
    const Resizable = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;
    const data = new Float32Array(new Resizable(4 * elements, { maxByteLength: 8 * elements }));
    hiding(data, { buffer: new ArrayBuffer(8) });
    expectError(
      thrownBy(() => lossAndGrad({ data, shape: [rows, dim] }, keys)),
      { type: TypeError, code: 'ERR_BUFFER', message: 'queries.data' },
    );
  });

  it('a buffer that says it is not resizable', () => {
    const Resizable = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;
    const buffer = hiding(new Resizable(4 * elements, { maxByteLength: 8 * elements }), { resizable: false });
    expectError(
      thrownBy(() => lossAndGrad({ data: new Float32Array(buffer), shape: [rows, dim] }, keys)),
      { type: TypeError, code: 'ERR_BUFFER', message: 'queries.data' },
    );
  });

  it('a detached buffer', () => {
    const data = new Float32Array(elements);
    structuredClone(data, { transfer: [data.buffer] });
    hiding(data, { buffer: new ArrayBuffer(4 * elements), length: elements });
    expectError(
      thrownBy(() => lossAndGrad({ data, shape: [rows, dim] }, keys)),
      { type: TypeError, code: 'ERR_DETACHED', message: 'queries.data' },
    );
  });

  it.each<Record<string, unknown>>([
    { byteOffset: 1e6 },
    { byteLength: 0 },
    { length: 0 },
    { buffer: new ArrayBuffer(8) },
    { data: new Float32Array(elements), device: 0 },
  ])('an overlap: %j', (properties) => {
    const data = Float32Array.from(queries.data);
    const queryGrads = hiding(new Float32Array(data.buffer), properties);
    expectError(
      thrownBy(() => lossAndGrad({ ...queries, data }, keys, { out: { queryGrads } })),
      overlapError('options.out.queryGrads not to share memory with queries.data'),
    );
  });

  it.each([elements - 1, elements + 1])('a length of %i', (length) => {
    const lying = hiding(new Float32Array(length), { length: elements });
    const attempts: (() => unknown)[] = [() => lossAndGrad(queries, keys, { out: { queryGrads: lying } })];
    if (length < elements) attempts.push(() => lossAndGrad({ data: lying, shape: [rows, dim] }, keys));
    for (const attempt of attempts) {
      expectError(thrownBy(attempt), { type: RangeError, code: 'ERR_SHAPE', message: `received ${length}` });
    }
  });

  it.each(['labels', 'queryWeights'] as const)('the elements of %s', (name) => {
    const array = name === 'labels' ? new Int32Array(rows) : new Float32Array(rows).fill(1);
    const lying = hiding(array, { [Symbol.iterator as never]: undefined, length: 1 });
    Object.defineProperty(lying, Symbol.iterator, { value: () => [][Symbol.iterator]() });
    const options = { objective: 'infonce', [name]: lying } as ContrastiveOptions;
    const honest = { objective: 'infonce', [name]: array.slice() } as ContrastiveOptions;
    expect(lossAndGrad(queries, keys, options).loss).toBe(lossAndGrad(queries, keys, honest).loss);
  });
});
