/**
 * A step reads each property of its options, towers and encoders once: a getter cannot change its mind after
 * a check.
 */
import { chunkedStep, type Encoder } from '../../lib/trainer';

/** The same object, which counts how often each property is read. */
function counted<T extends object>(name: string, target: T, counts: Map<string, number>): T {
  return new Proxy(target, {
    get(object, property, receiver) {
      const path = `${name}.${String(property)}`;
      counts.set(path, (counts.get(path) ?? 0) + 1);
      return Reflect.get(object, property, receiver);
    },
  });
}

function plainEncoder() {
  const seen: string[] = [];
  const encoder: Encoder<Float32Array> = {
    encode: (data) => {
      seen.push('encode');
      return { data, shape: [2, 3] };
    },
    backward: () => {
      seen.push('backward');
    },
    randomState: () => 0,
    restoreRandomState: () => {},
  };
  return { encoder, seen };
}
const chunks = () => [Float32Array.of(1, 2, 3, 4, 5, 7), Float32Array.of(3, 1, 4, 1, 5, 9)];

test('each property once, whatever the number of chunks', async () => {
  const counts = new Map<string, number>();
  const tower = (name: string) =>
    counted(
      name,
      { encoder: counted(`${name}.encoder`, plainEncoder().encoder, counts), chunks, rows: 4 },
      counts,
    );
  const loss = { logitScale: 2, grad: counted('grad', { queries: true, keys: true }, counts) };
  const options = {
    queries: tower('queries'),
    keys: tower('keys'),
    loss: counted('loss', loss, counts),
    signal: new AbortController().signal,
    onProgress: () => {},
  };
  await chunkedStep(counted('options', options, counts));
  for (const name of [
    'options.loss',
    'queries.rows',
    'keys.encoder.backward',
    'loss.logitScale',
    'grad.keys',
  ]) {
    expect(counts.get(name)).toBe(1);
  }
  expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
});

test('what changes while the step runs changes the next step only', async () => {
  const { encoder, seen } = plainEncoder();
  const options = { queries: { encoder, chunks }, keys: { encoder, chunks }, loss: { logitScale: 2 } };
  const before = await chunkedStep(options);
  seen.length = 0;
  const { encode } = encoder;
  encoder.encode = (data) => {
    options.loss.logitScale = -1;
    options.queries.chunks = () => [];
    encoder.backward = undefined;
    return encode(data);
  };
  expect((await chunkedStep(options)).loss).toBe(before.loss);
  expect(seen.filter((name) => name === 'backward')).toHaveLength(4);
  await expect(chunkedStep(options)).rejects.toMatchObject({ code: 'ERR_VALUE' });
});
