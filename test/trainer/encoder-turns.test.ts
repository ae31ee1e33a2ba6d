/** Steps that share an encoder: each runs as if it were alone. */
import { chunkedStep, type Encoder } from '../../lib/trainer';
import { randomRows, ToyEncoder } from './toy-encoder';

const inputs = [1, 2, 3, 4].map((seed) => randomRows(4, seed));
/** Waits that differ, so that two steps at once cannot keep in step by chance. */
let waits = 0;
const soon = () => new Promise((resolve) => setTimeout(resolve, 1 + ((waits++ * 7) % 5)));

/** Draws its noise after it has waited, and remembers which noise each chunk got in each pass. */
function slowEncoder() {
  let draws = 0;
  const drawn = { encode: new Map<unknown, number>(), backward: new Map<unknown, number>() };
  const encoder: Encoder<Float32Array> = {
    randomState: () => draws,
    restoreRandomState: (state) => {
      draws = state as number;
    },
    async encode(input) {
      await soon();
      drawn.encode.set(input, draws++);
      return { data: input.slice(0, 8), shape: [2, 4] };
    },
    async backward(input) {
      await soon();
      drawn.backward.set(input, draws++);
    },
  };
  return { encoder, drawn };
}

const towers = (encoder: Encoder<Float32Array>, first: number) => ({
  queries: { encoder, chunks: () => [inputs[first]!] },
  keys: { encoder, chunks: () => [inputs[first + 1]!] },
});

test('steps at once on one encoder replay their own noise', async () => {
  const { encoder, drawn } = slowEncoder();
  await Promise.all([chunkedStep(towers(encoder, 0)), chunkedStep(towers(encoder, 2))]);
  expect(drawn.encode.size).toBe(4);
  expect(drawn.backward).toEqual(drawn.encode);
});

test('steps at once give the losses and gradients that they give one after another', async () => {
  const run = async (atOnce: boolean) => {
    const encoder = new ToyEncoder(1, 0.4);
    const step = (first: number) => chunkedStep(towers(encoder, first));
    const results = atOnce ? await Promise.all([step(0), step(2)]) : [await step(0), await step(2)];
    return { losses: results.map(({ loss }) => loss), grads: [...encoder.grads] };
  };
  expect(await run(true)).toEqual(await run(false));
});

test('towers of two steps crosswise: neither waits for the other for ever', async () => {
  const [a, b] = [slowEncoder(), slowEncoder()];
  const one = towers(a.encoder, 0);
  const other = towers(b.encoder, 2);
  const steps = [
    chunkedStep({ queries: one.queries, keys: other.keys }),
    chunkedStep({ queries: other.queries, keys: one.keys }),
  ];
  expect(await Promise.all(steps)).toHaveLength(2);
});

test('steps on encoders of their own do not wait', async () => {
  const { encoder } = slowEncoder();
  const { encode } = encoder;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  encoder.encode = async (input) => {
    await released;
    return encode(input);
  };
  const held = chunkedStep(towers(encoder, 0));
  expect((await chunkedStep(towers(slowEncoder().encoder, 2))).rows.queries).toBe(2);
  release();
  expect((await held).rows.queries).toBe(2);
});

describe('the encoder is free again', () => {
  test('after a step that failed', async () => {
    const { encoder } = slowEncoder();
    const { encode } = encoder;
    encoder.encode = () => {
      throw new Error('broken');
    };
    await expect(chunkedStep(towers(encoder, 0))).rejects.toThrow('broken');
    encoder.encode = encode;
    expect((await chunkedStep(towers(encoder, 0))).rows.queries).toBe(2);
  });

  test('after a step that was aborted, also one that waited', async () => {
    const { encoder, drawn } = slowEncoder();
    const controller = new AbortController();
    const reason = new Error('stopped');
    const order: string[] = [];
    const running = chunkedStep(towers(encoder, 0)).then(() => order.push('first'));
    const waiting = chunkedStep({ ...towers(encoder, 2), signal: controller.signal });
    const last = chunkedStep(towers(encoder, 2)).then(() => order.push('last'));
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    // it left at once, and the step behind it did not pass the one in front
    expect(order).toEqual([]);
    expect(drawn.encode.size).toBeLessThan(4);
    await Promise.all([running, last]);
    expect(order).toEqual(['first', 'last']);
    expect(drawn.backward).toEqual(drawn.encode);
  });

  test('after a step whose options were refused', async () => {
    const { encoder } = slowEncoder();
    await expect(chunkedStep({ ...towers(encoder, 0), rows: 1 } as never)).rejects.toMatchObject({
      code: 'ERR_OPTION',
    });
    expect((await chunkedStep(towers(encoder, 0))).rows.keys).toBe(2);
  });
});

describe('a step inside a callback of another step', () => {
  /** The outcome of a step that `encode` starts and waits for, while a step on `encoder` runs. */
  async function outcomeInside(encoder: Encoder<Float32Array>, nested: () => Promise<unknown>) {
    const { encode } = encoder;
    let outcome: unknown;
    encoder.encode = async (input) => {
      if (outcome === undefined) {
        outcome = 'begun';
        outcome = await nested().catch((error: unknown) => error);
      }
      return encode(input);
    };
    await chunkedStep(towers(encoder, 0));
    return outcome;
  }

  test('is refused on the same encoder, as each would wait for the other', async () => {
    const { encoder } = slowEncoder();
    const outcome = await outcomeInside(encoder, () => chunkedStep(towers(encoder, 2)));
    expect(outcome).toMatchObject({ code: 'ERR_ENCODER', message: expect.stringContaining('settled') });
  });

  test('runs on another encoder', async () => {
    const other = slowEncoder().encoder;
    const outcome = await outcomeInside(slowEncoder().encoder, () => chunkedStep(towers(other, 2)));
    expect(outcome).toMatchObject({ rows: { queries: 2, keys: 2 } });
  });

  test('runs on the same encoder once the other step is over', async () => {
    const { encoder } = slowEncoder();
    let later: Promise<unknown> | undefined;
    const step = chunkedStep({
      ...towers(encoder, 0),
      onProgress: () => {
        later ??= step.then(() => chunkedStep(towers(encoder, 2)));
      },
    });
    await step;
    expect(await later).toMatchObject({ rows: { queries: 2, keys: 2 } });
  });
});
