/** The share of a whole step: with a clock of the test, and in steps. */
import { chunkedStep, type StepProgress } from '../../lib/trainer';
import { type ExpectedTower, OverallProgress } from '../../lib/trainer/overall-progress';
import { cut, featureDim, ToyEncoder } from './toy-encoder';
import { inputs, rows, toyStep } from './toy-step';

/** A report, and the seconds since the one before. */
type Event = [seconds: number, report: StepProgress];

const encode = (tower: ExpectedTower['name'], done: number): StepProgress => ({
  ...{ phase: 'encode', tower, rows: done },
});
const backward = (tower: ExpectedTower['name'], done: number): StepProgress => ({
  ...{ phase: 'backward', tower, rows: done },
});
const loss = (fraction: number): StepProgress => ({ phase: 'loss', fraction, rows: 10 });

function sharesOf(towers: ExpectedTower[], events: Event[], expectedLoss?: number) {
  let clock = 100;
  const overall = new OverallProgress(
    towers,
    () => expectedLoss,
    () => clock,
  );
  return events.map(([seconds, report]) => {
    clock += seconds;
    return overall.after(report);
  });
}

const tower = (name: ExpectedTower['name'], more: Partial<ExpectedTower> = {}): ExpectedTower => ({
  ...{ name, trained: true, rows: 10 },
  ...more,
});

function expectClose(shares: (number | undefined)[], expected: (number | undefined)[]) {
  expect(shares).toHaveLength(expected.length);
  for (const [i, share] of shares.entries()) {
    if (expected[i] === undefined) expect(share).toBeUndefined();
    else expect(share).toBeCloseTo(expected[i], 12);
  }
}

describe('a clock of the test', () => {
  test('where every expectation holds, the share is time over the time of the whole step', () => {
    const shares = sharesOf(
      [tower('queries'), tower('keys')],
      [
        [1, encode('queries', 5)],
        [1, encode('queries', 10)],
        [2, encode('keys', 10)],
        [1, loss(0.25)],
        [3, loss(1)],
        [3, backward('queries', 5)],
        [3, backward('queries', 10)],
        [6, backward('keys', 10)],
      ],
      4,
    );
    expectClose(
      shares,
      [1, 2, 4, 5, 8, 11, 14, 20].map((seconds) => seconds / 20),
    );
  });

  test('a frozen tower has no backward phase', () => {
    const shares = sharesOf(
      [tower('queries'), tower('keys', { trained: false })],
      [
        [1, encode('queries', 10)],
        [1, encode('keys', 10)],
        [5, loss(1)],
        [3, backward('queries', 10)],
      ],
      5,
    );
    expectClose(shares, [0.1, 0.2, 0.7, 1]);
  });

  test('there is no share before the rows are known: in the loss they are', () => {
    const shares = sharesOf(
      [tower('queries'), tower('keys', { rows: undefined })],
      [
        [1, encode('queries', 10)],
        [1, encode('keys', 10)],
        [2, loss(1)],
        [3, backward('queries', 10)],
        [3, backward('keys', 10)],
      ],
    );
    expectClose(shares, [undefined, undefined, 0.4, 0.7, 1]);
  });

  test('hard negatives need no rows of their own: there are perQuery for each query', () => {
    const shares = sharesOf(
      [tower('queries'), tower('hardNegatives', { rows: undefined, perQuery: 2 })],
      [
        [1, encode('queries', 10)],
        [2, encode('hardNegatives', 20)],
        [0, loss(1)],
        [3, backward('queries', 10)],
        [6, backward('hardNegatives', 20)],
      ],
    );
    expectClose(shares, [1 / 12, 3 / 12, 3 / 12, 6 / 12, 1]);
  });

  test.each([
    ['backward is slower than expected', 3, 50],
    ['backward is quicker than expected', 3, 0.5],
    ['the loss is slower than expected', 30, 3],
    ['the loss is quicker than expected', 0.3, 3],
    ['the clock stands still', 0, 0],
  ])('never falls, and is 1 at the end only: %s', (_, lossSeconds, backwardSeconds) => {
    const shares = sharesOf(
      [tower('queries', { rows: 7 }), tower('keys', { rows: 900 })],
      [
        [1, encode('queries', 5)],
        [0.2, encode('queries', 10)],
        [2, encode('keys', 10)],
        [lossSeconds / 10, loss(0.1)],
        [lossSeconds, loss(1)],
        [backwardSeconds, backward('queries', 5)],
        [backwardSeconds, backward('queries', 10)],
        [backwardSeconds / 4, backward('keys', 5)],
        [2 * backwardSeconds, backward('keys', 10)],
      ],
      3,
    ) as number[];
    for (const [i, share] of shares.entries()) {
      expect(share).toBeGreaterThanOrEqual(i === 0 ? 0 : shares[i - 1]!);
      expect(share === 1).toBe(i === shares.length - 1);
    }
  });

  test('a measurement corrects what is to come: a tower that was pushed says how slow the next one is', () => {
    const shares = sharesOf(
      [tower('queries'), tower('keys')],
      [
        [1, encode('queries', 10)],
        [2, encode('keys', 10)],
        [0, loss(1)],
        [7, backward('queries', 10)],
        [14, backward('keys', 10)],
      ],
    );
    // 1 second went by, and 7 were expected. Then keys were slower than queries: 2 more, and 9 are expected
    const encoded = 1 / 8 + (7 / 8) * (2 / 11);
    // then 7 more went by, 7 times as many as for encode: 14 are expected
    const pushed = encoded + (1 - encoded) * (7 / 21);
    expectClose(shares, [1 / 8, encoded, encoded, pushed, 1]);
  });
});

describe('in steps', () => {
  const collect = async (run: (onProgress: (done: StepProgress) => void) => Promise<unknown>) => {
    const seen: StepProgress[] = [];
    await run((done) => void seen.push(done));
    return seen;
  };
  const zeros = () => new Float32Array(rows * featureDim);
  const toys = { queries: new ToyEncoder(1), keys: new ToyEncoder(2) };
  const step = (onProgress: (done: StepProgress) => void, more: object = {}, known = true) =>
    chunkedStep({
      queries: {
        encoder: toys.queries,
        chunks: () => cut(inputs.queries, [4, 7]),
        ...(known && { rows }),
      },
      keys: { encoder: toys.keys, chunks: () => cut(inputs.keys, [9, 2]), ...(known && { rows }) },
      onProgress,
      ...more,
    });

  function expectRising(shares: (number | undefined)[]) {
    for (const [i, share] of shares.entries()) {
      expect(share).toBeGreaterThanOrEqual(i === 0 ? 0 : shares[i - 1]!);
      expect(share === 1).toBe(i === shares.length - 1);
    }
  }

  test.each([
    ['by options', { loss: { logitScale: 3 } }],
    ['with prefixes', { normalize: true, matryoshka: { dims: [3, 2] } }],
    ['of the caller', { loss: () => ({ loss: 1, queryGrads: zeros(), keyGrads: zeros() }) }],
  ])('with rows every report has a share: a loss %s', async (_, more) => {
    const seen = await collect((onProgress) => step(onProgress, more));
    expect(seen.length).toBeGreaterThan(8);
    expectRising(seen.map(({ overall }) => overall));
  });

  test('without rows the shares begin with the loss', async () => {
    const seen = await collect((onProgress) => step(onProgress, {}, false));
    expect(seen.filter(({ overall }) => overall === undefined).map(({ phase }) => phase)).toEqual(
      Array(4).fill('encode'),
    );
    expectRising(seen.filter(({ phase }) => phase !== 'encode').map(({ overall }) => overall));
  });

  test('with hard negatives, and one frozen tower', async () => {
    const seen = await collect((onProgress) => toyStep({ hard: true, onProgress }));
    expectRising(seen.filter(({ phase }) => phase !== 'encode').map(({ overall }) => overall));
    const frozen = await collect((onProgress) => step(onProgress, { loss: { grad: { keys: false } } }));
    expectRising(frozen.map(({ overall }) => overall));
  });

  test('a loss that cannot be planned keeps its own error', async () => {
    await expect(step(() => {}, { loss: { workspaceBytes: 1 } })).rejects.toMatchObject({
      code: 'ERR_WORKSPACE',
    });
  });
});
