/**
 * Steps that end early on one rank: the step of every rank settles, the others' with the rank and the cause, and the
 * group works again. No test waits for a time: a rank that is forgotten would hang its test.
 */
import {
  chunkedStep,
  contrastiveLoss,
  contrastiveLossAndGrad,
  type OwnLossContext,
  type StepFeatures,
  type StepProgress,
} from '../../lib';
import type { ProcessGroup } from '../../lib/distributed';
import { cut, randomRows, ToyEncoder } from '../trainer/toy-encoder';
import { onRanks } from './ranks';

const rows = 8;
const inputs = randomRows(rows, 1);

/** Options of a step over two towers. */
function stepOf(group: ProcessGroup, more: Record<string, unknown> = {}) {
  const tower = (seed: number) => ({ encoder: new ToyEncoder(seed), chunks: () => cut(inputs, [3, 5]) });
  return { queries: tower(1), keys: tower(2), loss: { threads: 1 }, group, ...more };
}

const run = (options: object) => chunkedStep(options as never);

interface Failure {
  code?: string;
  message: string;
}

/** What rank 1 must say: its code, and a part of its text that the others have too. */
type Expected = Failure;

const errorOf = (call: Promise<unknown>): Promise<Failure | null> =>
  call.then(
    () => null,
    (error: Failure) => error,
  );

/** Every later call works, on all ranks. */
async function expectUsable(group: ProcessGroup): Promise<void> {
  const { loss } = await chunkedStep(stepOf(group) as never);
  const [sum] = await group.allReduce(Float64Array.of(loss));
  expect(Math.abs(sum! / group.size - loss)).toBeLessThan(1e-12);
}

/** The step of rank 1 is spoiled. It has its own error; the others learn of it; then all go on. */
async function expectEnd(
  spoil: (group: ProcessGroup) => Record<string, unknown>,
  own: Expected,
  common: (group: ProcessGroup) => Record<string, unknown> = () => ({}),
): Promise<void> {
  await onRanks(3, async (group, rank) => {
    const more = { ...common(group), ...(rank === 1 ? spoil(group) : {}) };
    const error = await errorOf(run(stepOf(group, more)));
    if (rank === 1) {
      expect(error).toMatchObject({ ...own, message: expect.stringContaining(own.message) });
    } else {
      expect(error).toMatchObject({ code: 'ERR_RANK_FAILED' });
      expect(error!.message).toContain('rank 1 failed');
      expect(error!.message).toContain(own.message);
    }
    await expectUsable(group);
  });
}

/** An encoder that throws in one of its calls. */
function failing(method: 'encode' | 'backward', onCall: number) {
  const encoder = new ToyEncoder(1);
  let calls = 0;
  const original = encoder[method].bind(encoder) as (...args: unknown[]) => unknown;
  (encoder as unknown as Record<string, unknown>)[method] = (...args: unknown[]) => {
    if (++calls === onCall) throw new Error('the encoder broke');
    return original(...args);
  };
  return { encoder, chunks: () => cut(inputs, [3, 5]) };
}

const broke = { message: 'the encoder broke' };

it.each([
  ['encodes its first chunk', 'encode', 1],
  ['encodes its last chunk', 'encode', 2],
  ['goes backward, first chunk', 'backward', 1],
  ['goes backward, last chunk', 'backward', 2],
] as const)('an encoder that throws when it %s', (_, method, onCall) =>
  expectEnd(() => ({ keys: failing(method, onCall) }), broke),
);

it('chunks that throw', () =>
  expectEnd(
    () => ({
      queries: {
        encoder: new ToyEncoder(1),
        chunks: () => {
          throw new Error('no file');
        },
      },
    }),
    { message: 'no file' },
  ));

it('another number of chunks in the second pass', () => {
  let passes = 0;
  const chunks = () => cut(inputs, passes++ === 0 ? [3, 5] : [8]);
  return expectEnd(() => ({ queries: { encoder: new ToyEncoder(1), chunks } }), {
    code: 'ERR_CHUNKS',
    message: 'queries.chunks',
  });
});

it.each([
  ['an unknown option', { gradscale: 1 }, { code: 'ERR_OPTION', message: 'Unknown name gradscale' }],
  ['a wrong value', { gradScale: Number.NaN }, { code: 'ERR_VALUE', message: 'options.gradScale' }],
  ['options of the loss', { loss: { logitScale: -1 } }, { code: 'ERR_VALUE', message: 'logitScale' }],
  ['no tower', { keys: undefined }, { code: 'ERR_TYPE', message: 'options.keys' }],
])('%s: refused before anything is encoded', (_, spoiled, own) => expectEnd(() => spoiled, own));

it('features that are not finite', () => {
  const data = new Float32Array(32).fill(Number.NaN);
  const encoder = { encode: () => ({ data, shape: [8, 4] }), backward: () => {} };
  return expectEnd(() => ({ keys: { encoder, chunks: () => [1] } }), {
    code: 'ERR_NOT_FINITE',
    message: 'Expected finite values for keys',
  });
});

it('shapes that do not fit on one rank', () => {
  const encoder = { encode: () => ({ data: new Float32Array(24).fill(1), shape: [8, 3] }) };
  return expectEnd(() => ({ keys: { encoder, chunks: () => [1] } }), {
    code: 'ERR_SHAPE',
    message: 'Expected towers of equal dim',
  });
});

it('options that differ: the same sentence on all ranks', () =>
  onRanks(2, async (group, rank) => {
    const error = await errorOf(run(stepOf(group, { loss: { logitScale: rank === 0 ? 20 : 14 } })));
    expect(error).toMatchObject({ code: 'ERR_VALUE' });
    expect(error!.message).toContain('options.logitScale: 14 on rank 1, 20 on rank 0');
    await expectUsable(group);
  }));

it.each([
  ['while it encodes', 'encode'],
  ['in the backward phase', 'backward'],
] as const)('an abort on one rank %s', (_, phase) =>
  expectEnd(
    () => {
      const controller = new AbortController();
      const onProgress = (done: StepProgress) => {
        if (done.phase === phase) controller.abort(new Error('enough'));
      };
      return { signal: controller.signal, onProgress };
    },
    { message: 'enough' },
  ),
);

it('an onProgress that throws at the end of the loss, which the others have finished', () =>
  expectEnd(
    () => ({
      onProgress: ({ phase, fraction }: StepProgress) => {
        if (phase === 'loss' && fraction === 1) throw new Error('no room for the bar');
      },
    }),
    { message: 'no room for the bar' },
  ));

const prefixes = () => ({ normalize: true, matryoshka: { dims: [4, 2, 1] } });

it('an error between two prefixes: the others are in the loss of the next one', () =>
  expectEnd(
    () => ({
      onProgress: ({ phase, fraction }: StepProgress) => {
        if (phase === 'loss' && fraction! > 0.5 && fraction! < 0.9) throw new Error('after the first');
      },
    }),
    { message: 'after the first' },
    prefixes,
  ));

type Loss = (q: StepFeatures, k: StepFeatures, hard: null, context: OwnLossContext) => unknown;

it.each<[string, Loss]>([
  [
    'before its call',
    () => {
      throw new Error('own loss broke');
    },
  ],
  [
    'after its call',
    async (queries, keys, _, context) => {
      await contrastiveLossAndGrad(queries, keys, { ...context, threads: 1 });
      throw new Error('own loss broke');
    },
  ],
])('a loss of its own that throws %s', (_, loss) =>
  expectEnd(
    () => ({ loss }),
    { message: 'own loss broke' },
    () => ({
      loss: ((queries, keys, _, context) =>
        contrastiveLossAndGrad(queries, keys, { ...context, threads: 1 })) as Loss,
    }),
  ),
);

it('steps of one group take turns, whatever becomes of them', () =>
  onRanks(2, async (group, rank) => {
    const controller = new AbortController();
    const steps = [
      run(stepOf(group)),
      run(stepOf(group, { signal: controller.signal })),
      run(stepOf(group, rank === 1 ? { gradScale: 'one' } : {})),
      run(stepOf(group)),
    ];
    if (rank === 0) controller.abort(new Error('not the second'));
    const errors = await Promise.all(steps.map(errorOf));
    expect(errors.map((error) => error?.message ?? 'well')).toEqual([
      'well',
      rank === 0 ? 'not the second' : expect.stringContaining('rank 0 failed: not the second'),
      expect.stringMatching(rank === 1 ? /^Expected finite number/ : /rank 1 failed: Expected finite number/),
      'well',
    ]);
    await expectUsable(group);
  }));

it('a step inside a callback of a step of the same group is refused', () =>
  onRanks(2, async (group) => {
    let inner: Promise<unknown> | undefined;
    const onProgress = () => {
      inner ??= errorOf(run(stepOf(group)));
    };
    await run(stepOf(group, { onProgress }));
    expect(await inner).toMatchObject({
      code: 'ERR_ENCODER',
      message: expect.stringContaining('a group of its own for a step inside a callback'),
    });
    await expectUsable(group);
  }));

it('a call of the group that failed before a step says nothing about the step', () =>
  onRanks(2, async (group, rank) => {
    const bad = { data: new Float32Array(2), shape: [1, 3] };
    await errorOf(contrastiveLoss(bad, bad, { group }));
    const more = rank === 1 ? { keys: failing('encode', 1) } : {};
    const error = await errorOf(run(stepOf(group, more)));
    expect(error!.message).toContain('the encoder broke');
    await expectUsable(group);
  }));

describe('refused', () => {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7, 8];

  it.each<[string, Record<string, unknown>, string, string]>([
    ['a group that is none', { group: {} }, 'ERR_TYPE', 'options.group'],
    [
      'a group that is none, of a loss of its own',
      { group: 1, loss: () => null },
      'ERR_TYPE',
      'options.group',
    ],
    [
      'lists',
      { loss: { labels: { offsets: Int32Array.from(eight), keys: Int32Array.from(eight.slice(0, 8)) } } },
      'ERR_NOT_IMPLEMENTED',
      'labels as lists beside options.group',
    ],
    [
      'pairs that do not count',
      { loss: { excludePairs: { offsets: new Int32Array(9), keys: new Int32Array(0) } } },
      'ERR_NOT_IMPLEMENTED',
      'options.excludePairs beside options.group',
    ],
    ['a GPU', { loss: { backend: 'cuda' } }, 'ERR_NOT_IMPLEMENTED', "backend: 'cpu'"],
  ])('%s', (_, more, code, text) =>
    onRanks(1, async (group) => {
      const error = await errorOf(run(stepOf(group, more)));
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    }),
  );

  it('a tower of uneven hard negatives', () =>
    onRanks(1, async (group) => {
      const offsets = Int32Array.from({ length: 9 }, (_, i) => i);
      const hardNegatives = { encoder: new ToyEncoder(3), chunks: () => [inputs], offsets };
      const error = await errorOf(run(stepOf(group, { hardNegatives })));
      expect(error).toMatchObject({
        code: 'ERR_NOT_IMPLEMENTED',
        message: expect.stringContaining('options.hardNegatives.offsets beside options.group'),
      });
    }));

  it('two groups', () =>
    onRanks(1, (group) =>
      onRanks(1, async (other) => {
        const error = await errorOf(run(stepOf(group, { loss: { group: other } })));
        expect(error).toMatchObject({
          code: 'ERR_VALUE',
          message: expect.stringContaining('options.group or options.loss.group, not both'),
        });
      }),
    ));
});
