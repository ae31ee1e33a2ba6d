/**
 * Cases of the conformance suite: steps that end early or run at once. Afterwards no iterator is open, no gradient and
 * no array is left, and the next step gives the right gradients.
 */
import type { StepProgress } from '../../../lib';
import type { CaseName, TowerOptions } from './host';
import { makeInputs } from './network';
import { type AnyHost, expectDense, type Pair, rows, withPair } from './pair';

const sizes = [10, 14];

/** A network that fails while `armed` is true. */
class Failure {
  armed = false;
  readonly error = new Error('a failure of the test');
  readonly tower: Partial<TowerOptions> = {
    beforeRun: () => {
      if (this.armed) throw this.error;
    },
  };
}

async function withSettledPair(
  host: AnyHost,
  failure: Failure,
  work: (pair: Pair, live: number | undefined) => Promise<void>,
): Promise<void> {
  const keys = { sizes, tower: { ...failure.tower, frozen: !host.trains } };
  await withPair(host, { queries: { sizes }, keys }, async (pair) => {
    // whatever a framework makes once exists after a first step
    await pair.step();
    for (const { tower } of pair.sides) tower.discardGradients();
    await work(pair, host.live?.());
  });
}

/** @param early The step ended before its backward phase, so there are no gradients to discard. */
async function expectNothingLeft(host: AnyHost, pair: Pair, live: number | undefined, early: boolean) {
  for (const { tower } of pair.sides) {
    if (!early) tower.discardGradients();
    await expect(tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
  }
  for (const side of pair.sides) {
    expect(side.closed).toBe(side.opened);
    side.beforeChunk = () => {};
    side.sizes = sizes;
  }
  expect(host.live?.()).toBe(live);
  await expectDense(pair, (await pair.step()).loss);
}

/** The network of the keys fails on the second chunk of the given pass of the step. */
const networkFails = (host: AnyHost, failingPass: 1 | 2) => {
  const failure = new Failure();
  return withSettledPair(host, failure, async (pair, live) => {
    const { keys } = pair;
    const begun = keys.opened;
    keys.beforeChunk = (pass, index) => {
      failure.armed = pass === begun + failingPass && index === 1;
    };
    await expect(pair.step()).rejects.toBe(failure.error);
    failure.armed = false;
    expect(keys.opened).toBe(begun + failingPass);
    await expectNothingLeft(host, pair, live, failingPass === 1);
  });
};

/** Aborts on the first progress that `when` accepts. */
const aborts = (host: AnyHost, early: boolean, when: (progress: StepProgress) => boolean) =>
  withSettledPair(host, new Failure(), async (pair, live) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (progress: StepProgress) => {
      if (when(progress)) controller.abort(reason);
    };
    await expect(pair.step({ signal: controller.signal, onProgress })).rejects.toBe(reason);
    await expectNothingLeft(host, pair, live, early);
  });

/** The tower whose backward phase is the last one. */
const lastTrained = (host: AnyHost) => (host.trains ? 'keys' : 'queries');

export const failureCases = {
  encodeFails: (host) => networkFails(host, 1),
  backwardFails: (host) => networkFails(host, 2),

  lossFails: (host) =>
    withSettledPair(host, new Failure(), async (pair, live) => {
      const labels = new Int32Array(rows - 1);
      const refused = pair.step({ loss: { objective: 'infonce', labels } });
      await expect(refused).rejects.toMatchObject({ code: 'ERR_SHAPE' });
      await expectNothingLeft(host, pair, live, true);
      for (const { tower } of pair.sides) tower.discardGradients();
      const error = new Error('no progress please');
      const stopped = pair.step({
        loss: {
          onProgress: () => {
            throw error;
          },
        },
      });
      await expect(stopped).rejects.toBe(error);
      await expectNothingLeft(host, pair, live, true);
    }),

  iteratorFails: (host) =>
    withSettledPair(host, new Failure(), async (pair, live) => {
      for (const failingPass of [1, 2]) {
        const side = failingPass === 1 ? pair.keys : pair[lastTrained(host)];
        const begun = side.opened;
        const error = new Error('the disk is gone');
        side.beforeChunk = (pass, index) => {
          if (pass === begun + failingPass && index === 1) throw error;
        };
        await expect(pair.step()).rejects.toBe(error);
        await expectNothingLeft(host, pair, live, failingPass === 1);
      }
    }),

  abortEncode: (host) =>
    aborts(
      host,
      true,
      ({ phase, tower, rows }) => phase === 'encode' && tower === 'keys' && rows === sizes[0],
    ),

  abortLoss: (host) => aborts(host, true, ({ phase }) => phase === 'loss'),

  abortBackward: (host) =>
    aborts(
      host,
      false,
      ({ phase, tower, rows }) => phase === 'backward' && tower === lastTrained(host) && rows === sizes[0],
    ),

  async interleavedSteps(host) {
    const dropout = host.cannot.dropoutReplay === undefined ? 0.5 : 0;
    const side = (seed: number) => ({
      sizes,
      inputs: makeInputs(rows, seed),
      tower: { dropout, seed, frozen: !host.trains },
    });
    const run = (atOnce: boolean) => {
      let results: unknown;
      const first = { queries: { sizes: [12, 12] }, keys: side(11) };
      const second = { queries: { sizes: [12, 12] }, keys: side(12) };
      const events: number[] = [];
      const done = withPair(host, first, (a) =>
        withPair(host, second, async (b) => {
          [a, b].forEach((pair, i) => {
            pair.keys.beforeChunk = () => {
              events.push(i);
              return new Promise((resolve) => setImmediate(resolve));
            };
          });
          const step = async (pair: Pair) => (await pair.step()).loss;
          const losses = atOnce ? await Promise.all([step(a), step(b)]) : [await step(a), await step(b)];
          results = { losses, gradients: [await a.takeGradients(), await b.takeGradients()] };
        }),
      );
      return done.then(() => ({ results, turns: events.filter((i, at) => i !== events[at - 1]).length }));
    };
    const [alone, together] = [await run(false), await run(true)];
    expect(alone.turns).toBe(2);
    expect(together.turns).toBeGreaterThan(2);
    expect(together.results).toEqual(alone.results);
  },

  changedRows: (host) =>
    withSettledPair(host, new Failure(), async (pair, live) => {
      const { keys } = pair;
      const begun = keys.opened;
      keys.beforeChunk = (pass, index) => {
        if (pass === begun + 1 && index === 1) keys.sizes = [...sizes].reverse();
      };
      await expect(pair.step()).rejects.toMatchObject({ code: 'ERR_CHUNKS' });
      await expectNothingLeft(host, pair, live, false);
    }),

  async memory(host) {
    const once = () =>
      withSettledPair(host, new Failure(), async (pair, live) => {
        for (let step = 0; step < 6; step++) {
          await pair.step();
          if (step % 3 === 0) for (const { tower } of pair.sides) tower.discardGradients();
          else await pair.takeGradients();
          expect(host.live!()).toBe(live);
        }
        // whoever takes no gradients gives them back with the encoder
        await pair.step();
      });
    await once();
    const before = host.live!();
    await once();
    expect(host.live!()).toBe(before);
  },
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
