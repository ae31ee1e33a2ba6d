import os from 'node:os';
import { RepresentationCache } from '../../lib/trainer/representation-cache';

const chunk = (rows: number, dim: number, first: number) => ({
  data: Float32Array.from({ length: rows * dim }, (_, i) => first + i),
  shape: [rows, dim] as const,
});

const circular: unknown[] = [1];
circular.push(circular);

const codeOf = (run: () => void): { code: string; message: string; type: string } => {
  try {
    run();
  } catch (error) {
    const { code, message, name } = error as Error & { code: string };
    return { code, message, type: name };
  }
  throw new Error('Expected an error');
};

describe('RepresentationCache', () => {
  test.each([0, 6, 4, 100])('joins ragged chunks in order when %i rows were announced', (expectedRows) => {
    const cache = new RepresentationCache('queries', expectedRows);
    cache.append(chunk(3, 2, 0), 'a');
    cache.append(chunk(1, 2, 6), 'b');
    cache.append(chunk(2, 2, 8), 'c');
    expect(cache.matrix()).toEqual({
      data: Float32Array.from({ length: 12 }, (_, i) => i),
      shape: [6, 2],
      dtype: 'float32',
    });
    expect(cache.chunks).toEqual([
      { firstRow: 0, rows: 3, randomState: 'a' },
      { firstRow: 3, rows: 1, randomState: 'b' },
      { firstRow: 4, rows: 2, randomState: 'c' },
    ]);
    expect(cache.bytes).toBe(48);
  });

  test('allocates once when the rows are known, and less than twice the features when they are not', () => {
    const known = new RepresentationCache('queries', 40);
    const unknown = new RepresentationCache('queries');
    known.append(chunk(1, 8, 0), undefined);
    const { buffer } = known.matrix().data;
    for (let i = 0; i < 40; i++) {
      if (i > 0) known.append(chunk(1, 8, i), undefined);
      unknown.append(chunk(1, 8, i), undefined);
      expect(unknown.matrix().data.buffer.byteLength).toBeLessThan(2 * unknown.bytes);
    }
    expect(known.matrix().data.buffer).toBe(buffer);
    expect(buffer.byteLength).toBe(known.bytes);
  });

  test('a number of rows beyond memory is not allocated, and hurts nothing', () => {
    for (const expectedRows of [Math.ceil(os.totalmem() / 16) + 1, Number.MAX_SAFE_INTEGER]) {
      const cache = new RepresentationCache('queries', expectedRows);
      cache.append(chunk(3, 2, 0), undefined);
      expect(cache.matrix().data.buffer.byteLength).toBe(24);
      expect(cache.matrix().shape).toEqual([3, 2]);
    }
  });

  test.each(['float16', 'bfloat16'] as const)('%s features stay the bits that they are', (dtype) => {
    for (const expectedRows of [0, 3]) {
      const cache = new RepresentationCache('queries', expectedRows);
      cache.append({ data: Uint16Array.of(1, 2, 3, 0xffff), shape: [2, 2], dtype }, undefined);
      cache.append({ data: Uint16Array.of(5, 6), dims: [1, 2], type: dtype }, undefined);
      expect(cache.matrix()).toEqual({ data: Uint16Array.of(1, 2, 3, 0xffff, 5, 6), shape: [3, 2], dtype });
      expect(cache.bytes).toBe(12);
      const grads = cache.gradsOfChunk(new Float32Array(6), 1);
      expect(grads).toEqual({ data: new Float32Array(2), shape: [1, 2], dtype: 'float32' });
    }
  });

  test('chunks of one tower agree in their element type', () => {
    const cache = new RepresentationCache('keys');
    const bits = { data: new Uint16Array(2), shape: [1, 2] };
    cache.append({ ...bits, dtype: 'float16' }, undefined);
    const message = 'Expected float16, as in the chunks before, from keys chunk 1 but received bfloat16';
    expect(codeOf(() => cache.append({ ...bits, dtype: 'bfloat16' }, undefined))).toMatchObject({
      code: 'ERR_DTYPE',
      message,
    });
    expect(codeOf(() => cache.append(chunk(1, 2, 0), undefined)).code).toBe('ERR_DTYPE');
    expect(cache.rows).toBe(1);
  });

  test('reads strided features and copies, so that an encoder may reuse its array', () => {
    const cache = new RepresentationCache('keys');
    const data = Float32Array.of(1, 2, -1, 3, 4);
    cache.append({ data, dims: [2, 2], rowStride: 3 }, undefined);
    data.fill(0);
    expect([...cache.matrix().data]).toEqual([1, 2, 3, 4]);
  });

  test('hands out gradients as views of the whole', () => {
    const cache = new RepresentationCache('keys');
    cache.append(chunk(1, 2, 0), undefined);
    cache.append(chunk(2, 2, 0), undefined);
    const grads = Float32Array.of(1, 2, 3, 4, 5, 6);
    const second = cache.gradsOfChunk(grads, 1);
    expect(second).toEqual({ data: Float32Array.of(3, 4, 5, 6), shape: [2, 2], dtype: 'float32' });
    expect(second.data.buffer).toBe(grads.buffer);
  });

  test.each([
    [
      'another dtype',
      { data: new Uint16Array(2), shape: [1, 2], dtype: 'float16' },
      'ERR_DTYPE',
      'Expected float32, as in the chunks before',
    ],
    ['a plain array', { data: [1, 2], shape: [1, 2] }, 'ERR_TYPE', 'received an instance of Array'],
    ['another element type', { data: new Float64Array(2), shape: [1, 2] }, 'ERR_DTYPE', 'Float64Array'],
    [
      'bits of no stated type',
      { data: new Uint16Array(2), shape: [1, 2] },
      'ERR_DTYPE',
      'float16 or bfloat16',
    ],
    [
      'a contradicting type',
      { data: new Float32Array(2), dims: [1, 2], type: 'float16' },
      'ERR_DTYPE',
      'float32',
    ],
    ['nothing', undefined, 'ERR_TYPE', 'received undefined'],
    ['an array without shape', new Float32Array(2), 'ERR_TYPE', 'matrix { data, shape: [rows, dim] }'],
    ['a tensor with a method for data', { data() {}, shape: [1, 2] }, 'ERR_TYPE', 'await'],
    ['no shape', { data: new Float32Array(2) }, 'ERR_TYPE', 'received undefined'],
    ['a shape of BigInts', { data: new Float32Array(2), shape: [1n, 2n] }, 'ERR_SHAPE', '1 of type bigint'],
    ['a shape that contains itself', { data: new Float32Array(2), shape: circular }, 'ERR_SHAPE', 'Array'],
    ['a BigInt stride', { data: new Float32Array(2), shape: [1, 2], rowStride: 2n }, 'ERR_TYPE', 'rowStride'],
    [
      'contradicting shapes',
      { data: new Float32Array(2), shape: [1, 2], dims: [2, 1] },
      'ERR_SHAPE',
      'equal',
    ],
    ['three dimensions', { data: new Float32Array(2), shape: [1, 1, 2] }, 'ERR_SHAPE', '[1, 1, 2]'],
    ['no rows', { data: new Float32Array(0), shape: [0, 2] }, 'ERR_SHAPE', '[0, 2]'],
    ['too little data', { data: new Float32Array(3), shape: [2, 2] }, 'ERR_SHAPE', 'at least 4 elements'],
    [
      'an overlapping stride',
      { data: new Float32Array(4), shape: [2, 2], rowStride: 1 },
      'ERR_SHAPE',
      'at least dim (2)',
    ],
    ['another width', { data: new Float32Array(3), shape: [1, 3] }, 'ERR_SHAPE', 'Expected dim 2'],
  ])('refuses %s, naming tower and chunk', (_, features, code, words) => {
    const cache = new RepresentationCache('keys');
    cache.append(chunk(1, 2, 0), undefined);
    const error = codeOf(() => cache.append(features as unknown as ReturnType<typeof chunk>, undefined));
    expect(error.code).toBe(code);
    expect(error.type).toBe(code === 'ERR_SHAPE' ? 'RangeError' : 'TypeError');
    expect(error.message).toContain('keys chunk 1');
    expect(error.message).toContain(words);
    expect(cache.rows).toBe(1);
  });
});
