import { RepresentationCache } from '../../lib/trainer/representation-cache';

const chunk = (rows: number, dim: number, first: number) => ({
  data: Float32Array.from({ length: rows * dim }, (_, i) => first + i),
  shape: [rows, dim] as const,
});

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
      'Uint16Array with dtype float16',
    ],
    ['a plain array', { data: [1, 2], shape: [1, 2] }, 'ERR_DTYPE', 'received Array'],
    ['nothing', undefined, 'ERR_DTYPE', 'received undefined'],
    ['no shape', { data: new Float32Array(2) }, 'ERR_SHAPE', 'received undefined'],
    ['three dimensions', { data: new Float32Array(2), shape: [1, 1, 2] }, 'ERR_SHAPE', '[1,1,2]'],
    ['no rows', { data: new Float32Array(0), shape: [0, 2] }, 'ERR_SHAPE', '[0,2]'],
    ['too little data', { data: new Float32Array(3), shape: [2, 2] }, 'ERR_SHAPE', 'at least 4 elements'],
    [
      'an overlapping stride',
      { data: new Float32Array(4), shape: [2, 2], rowStride: 1 },
      'ERR_SHAPE',
      'row stride 1',
    ],
    ['another width', { data: new Float32Array(3), shape: [1, 3] }, 'ERR_SHAPE', 'Expected dim 2'],
  ])('refuses %s, naming tower and chunk', (_, features, code, words) => {
    const cache = new RepresentationCache('keys');
    cache.append(chunk(1, 2, 0), undefined);
    const error = codeOf(() => cache.append(features as unknown as ReturnType<typeof chunk>, undefined));
    expect(error.code).toBe(code);
    expect(error.type).toBe(code === 'ERR_DTYPE' ? 'TypeError' : 'RangeError');
    expect(error.message).toContain('keys chunk 1');
    expect(error.message).toContain(words);
    expect(cache.rows).toBe(1);
  });
});
