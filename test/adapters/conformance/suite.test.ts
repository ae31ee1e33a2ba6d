/** The conformance suite against broken hosts: each defect makes the case fail that is there to find it. */
import { normalizeRows } from '../../../lib/matrix/normalize-rows';
import type { Encoder, FeatureGrads } from '../../../lib/trainer';
import { HandWrittenTower, handWrittenHost } from './hand-written';
import { type CaseName, caseTitles, type Host, type HostTower, type TowerOptions } from './host';
import { Adam, featureDim, inputDim } from './network';
import { cases, contradictions } from './suite';

type Tower = HostTower<Float32Array>;

/** The hand-written host whose towers are changed by `defect`. */
const broken = (
  defect: (tower: HandWrittenTower, options: TowerOptions) => Partial<Tower>,
): Host<Float32Array> => ({
  ...handWrittenHost,
  makeTower(options) {
    const tower = new HandWrittenTower(options);
    return {
      encoder: tower.encoder,
      takeGradients: () => tower.takeGradients(),
      discardGradients: () => tower.discardGradients(),
      parameters: () => tower.parameters(),
      dispose: () => tower.dispose(),
      ...defect(tower, options),
    };
  },
});

/** The same, with an encoder that has other methods. */
const brokenEncoder = (
  change: (encoder: Encoder<Float32Array>, tower: HandWrittenTower) => Partial<Encoder<Float32Array>>,
) =>
  broken((tower) => {
    const encoder: Encoder<Float32Array> = tower.encoder;
    return { encoder: { ...encoder, ...change(encoder, tower) } };
  });

const forgetsEarlierChunks = brokenEncoder(({ backward }, tower) => ({
  backward(chunk, grads) {
    tower.discardGradients();
    return backward?.(chunk, grads);
  },
}));

const takesAnyRows = brokenEncoder(({ backward }) => ({
  backward(chunk, { data }: FeatureGrads) {
    const shape = [chunk.length / inputDim, featureDim] as const;
    return backward?.(chunk, { data, shape, dtype: 'float32' });
  },
}));

const neverReplays = brokenEncoder(() => ({ restoreRandomState() {} }));

const alwaysTheSameMask = brokenEncoder(({ encode, backward, randomState, restoreRandomState }) => {
  const first = randomState!();
  const fromFirst = <T>(work: () => T) => {
    restoreRandomState!(first);
    return work();
  };
  return {
    encode: (chunk) => fromFirst(() => encode(chunk)),
    backward: (chunk, grads) => fromFirst(() => backward!(chunk, grads)),
  };
});

const trainsWhileFrozen = broken((tower, options) => ({
  encoder: { ...tower.encoder, ...new HandWrittenTower({ ...options, frozen: false }).encoder },
}));

const swallowsFailures = broken((tower, { beforeRun }) => ({
  encoder: new HandWrittenTower({
    parameters: tower.values,
    beforeRun() {
      try {
        beforeRun?.();
      } catch {}
    },
  }).encoder,
}));

const keepsGradients = broken(() => ({ discardGradients() {} }));

/** One cache of features for all towers: a step at the same time overwrites it. */
let lastChunk: Float32Array | undefined;
const sharesStateOfTowers = brokenEncoder(({ encode, backward }) => ({
  async encode(chunk) {
    lastChunk = chunk;
    await new Promise((resolve) => setImmediate(resolve));
    return encode(lastChunk);
  },
  backward,
}));

const rounds = broken((_, options) => ({
  encoder: new HandWrittenTower({ ...options, half: true }).encoder,
}));

/** Makes rows of length 1 in `encode`, and forgets that in `backward`. */
const forgetsLengths = brokenEncoder(({ encode }) => ({
  encode: async (chunk) => normalizeRows(await encode(chunk)).features,
}));

let alive = 0;
const leaks: Host<Float32Array> = {
  ...brokenEncoder(({ encode }) => ({
    encode(chunk) {
      alive++;
      return encode(chunk);
    },
  })),
  live: () => alive,
};

/** Moments by position and one call for each tower: the second tower goes on with the moments of the first one. */
const mixesMoments: Host<Float32Array> = {
  ...handWrittenHost,
  makeOptimiser(towers) {
    const moments = [
      new Adam(new Float32Array(inputDim * featureDim)),
      new Adam(new Float32Array(featureDim)),
    ];
    return {
      async step() {
        for (const tower of towers as readonly HandWrittenTower[]) {
          const { weights, bias } = await tower.takeGradients();
          for (const [i, gradient] of [weights, bias].entries()) {
            const values = [tower.values.weights, tower.values.bias][i]!;
            moments[i]!.values.set(values);
            moments[i]!.step(gradient);
            values.set(moments[i]!.values);
          }
        }
      },
      dispose() {},
    };
  },
};

test.each<[defect: string, host: Host<Float32Array>, found: CaseName[]]>([
  [
    'forgets the gradients of earlier chunks',
    forgetsEarlierChunks,
    [
      'unevenChunk',
      'chunkSizes',
      'sharedEncoder',
      'accumulation',
      'hardNegatives',
      'sharedByThree',
      'lists',
      'gradScale',
      'bank',
      'frozenModels',
    ],
  ],
  ['takes other rows in the second pass', takesAnyRows, ['changedRows']],
  [
    'does not replay dropout',
    neverReplays,
    ['dropoutReplay', 'dropoutOfThree', 'encodeTwice', 'featuresAlone'],
  ],
  ['draws the same dropout for ever', alwaysTheSameMask, ['dropoutAnew']],
  ['trains while frozen', trainsWhileFrozen, ['frozenTower']],
  ['swallows failures', swallowsFailures, ['encodeFails', 'backwardFails', 'hardNegativesFail']],
  [
    'keeps gradients that were discarded',
    keepsGradients,
    ['backwardFails', 'abortBackward', 'changedRows', 'hardNegativesFail'],
  ],
  ['shares state between towers', sharesStateOfTowers, ['interleavedSteps']],
  ['rounds its features', rounds, ['denseLoss', 'featuresAlone']],
  [
    'takes the direction of the features for the features',
    forgetsLengths,
    ['normalizedRows', 'matryoshka', 'ownLoss', 'oneTower'],
  ],
  [
    'leaks an array a chunk',
    leaks,
    ['memory', 'encodeFails', 'iteratorFails', 'lossFails', 'abortEncode', 'abortLoss'],
  ],
  ['mixes the moments of towers', mixesMoments, ['optimiser']],
])('a host that %s is found', async (_, host, found) => {
  // an assertion of the case, not a crash
  for (const name of found) await expect(cases[name](host)).rejects.toThrow('expect(');
});

// the optimiser of this host needs towers of its own class
const wrapped = (Object.keys(cases) as CaseName[]).filter(
  (name) => handWrittenHost.cannot[name] === undefined && name !== 'optimiser',
);
test.each(wrapped)('the wrapper of broken hosts alone breaks nothing: %s', (name) =>
  cases[name](broken(() => ({}))),
);

test('every case has a title, and every title a case', () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(caseTitles).sort());
});

test('a host that contradicts itself is found', () => {
  expect(contradictions(handWrittenHost)).toEqual([]);
  expect(contradictions({ ...handWrittenHost, live: () => 0 })).toHaveLength(1);
  expect(contradictions({ ...handWrittenHost, cannot: {} })).toHaveLength(3);
  expect(contradictions({ ...handWrittenHost, trains: false })).not.toEqual([]);
});
