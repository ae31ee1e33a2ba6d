/** `prefetch`: how far it runs ahead, the same chunks in the same order, errors and early ends. */
import { chunkedStep, encodeFeatures, prefetch } from '../../lib/trainer';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { cut, randomRows, ToyEncoder } from './toy-encoder';

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Chunks 0, 1, 2 ... of an iterator that says what it does. */
function watched(count: number, { fails = -1 } = {}) {
  const events: string[] = [];
  const chunks = async function* () {
    events.push('open');
    try {
      for (let i = 0; i < count; i++) {
        if (i === fails) throw new Error(`disk ${i}`);
        events.push(`make ${i}`);
        await null;
        yield i;
      }
    } finally {
      events.push('close');
    }
  };
  return { events, chunks };
}

describe('unhandled rejections', () => {
  const unhandled: unknown[] = [];
  const remember = (error: unknown) => unhandled.push(error);
  beforeAll(() => process.on('unhandledRejection', remember));
  afterAll(() => {
    process.off('unhandledRejection', remember);
  });
  afterEach(async () => {
    await pause();
    expect(unhandled.splice(0)).toEqual([]);
  });

  test.each([1, 2, 5])('depth %d: so many chunks are made while one is used, and no more', async (depth) => {
    const { events, chunks } = watched(4);
    const seen: number[] = [];
    for await (const chunk of prefetch(chunks, depth)()) {
      seen.push(chunk);
      await pause();
      const made = Math.min(4, chunk + 1 + depth);
      expect(events.filter((event) => event.startsWith('make'))).toHaveLength(made);
    }
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(events.slice(-1)).toEqual(['close']);
  });

  test('the default is one chunk ahead, and nothing begins before the reading does', async () => {
    const { events, chunks } = watched(3);
    const iterator = prefetch(chunks)();
    await pause();
    expect(events).toEqual([]);
    expect((await iterator.next()).value).toBe(0);
    await pause();
    expect(events).toEqual(['open', 'make 0', 'make 1']);
    await iterator.return();
    expect(events).toEqual(['open', 'make 0', 'make 1', 'close']);
  });

  test.each([1, 3])('depth %d: an error comes after the chunks before it', async (depth) => {
    const { events, chunks } = watched(5, { fails: 2 });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const chunk of prefetch(chunks, depth)()) {
        seen.push(chunk);
        await pause();
      }
    })();
    await expect(reading).rejects.toThrow('disk 2');
    expect(seen).toEqual([0, 1]);
    expect(events.filter((event) => event === 'close')).toHaveLength(1);
  });

  test('a reader that stops before an error never hears of it', async () => {
    const { events, chunks } = watched(5, { fails: 1 });
    for await (const _ of prefetch(chunks)()) {
      await pause();
      break;
    }
    expect(events).toEqual(['open', 'make 0', 'close']);
  });

  test('a reader that stops waits for the chunk that is being made, and no further one is made', async () => {
    const made: number[] = [];
    let closed = false;
    const chunks = async function* () {
      try {
        for (let i = 0; ; i++) {
          await pause();
          made.push(i);
          yield i;
        }
      } finally {
        closed = true;
      }
    };
    for await (const _ of prefetch(chunks, 3)()) break;
    expect([made, closed]).toEqual([[0, 1], true]);
  });

  test('an error while closing reaches a reader that stopped by itself', async () => {
    const chunks = () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: async () => {
          throw new Error('while closing');
        },
      }),
    });
    const reading = (async () => {
      for await (const _ of prefetch(chunks)()) break;
    })();
    await expect(reading).rejects.toThrow('while closing');
  });

  test('a step gets the same numbers, and an abort closes both iterators', async () => {
    const inputs = randomRows(12, 1);
    const chunks = () => cut(inputs, [5, 5, 2]);
    const step = async (wrap: typeof prefetch, signal?: AbortSignal) => {
      const [q, k] = [new ToyEncoder(1, 0.3), new ToyEncoder(2)];
      const towers = {
        queries: { encoder: q, chunks: wrap(chunks) },
        keys: { encoder: k, chunks: wrap(chunks) },
      };
      const { loss } = await chunkedStep({ ...towers, loss: { logitScale: 3 }, signal });
      return { loss, grads: [...q.grads, ...k.grads], calls: [...q.calls, ...k.calls] };
    };
    expect(await step(prefetch)).toEqual(await step((plain) => plain as never));
    const { events, chunks: endless } = watched(1000);
    const controller = new AbortController();
    const encode = () => {
      controller.abort(new Error('stopped'));
      return { data: Float32Array.of(1), shape: [1, 1] };
    };
    const aborted = encodeFeatures(
      { encoder: { encode }, chunks: prefetch(endless) },
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toThrow('stopped');
    expect(events).toEqual(['open', 'make 0', 'make 1', 'close']);
  });
});

test('a method that reads `this` is called on its tower', async () => {
  const tower = {
    encoder: new ToyEncoder(1),
    inputs: randomRows(4, 1),
    chunks: prefetch(function (this: unknown) {
      return [(this as { inputs: Float32Array }).inputs];
    }),
  };
  const read: Float32Array[] = [];
  for await (const chunk of tower.chunks()) read.push(chunk);
  expect(read).toEqual([tower.inputs]);
});

describe('refusals', () => {
  test.each<[string, unknown, unknown, string, string]>([
    ['an array', [1, 2], undefined, 'ERR_TYPE', 'function for chunks'],
    ['an open iterator', (function* () {})(), undefined, 'ERR_TYPE', 'function for chunks'],
    ['no depth', () => [], 0, 'ERR_VALUE', 'positive integer for depth'],
    ['half a chunk', () => [], 0.5, 'ERR_VALUE', 'positive integer for depth'],
    ['options', () => [], { depth: 2 }, 'ERR_TYPE', 'positive integer for depth'],
  ])('%s', (_, chunks, depth, code, message) => {
    const error = thrownBy(() => prefetch(chunks as never, depth as never));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  test('what the function returns is no iterable', async () => {
    const reading = prefetch((() => 5) as never)().next();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CHUNKS' });
  });
});
