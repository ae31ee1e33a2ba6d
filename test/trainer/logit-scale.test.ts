/**
 * LogitScale and LogitBias against the same training with a dense loss in float64 and optimisers that are written
 * out here as PyTorch defines them (torch.optim.Adam, torch.optim.SGD, clamp_ after the step).
 */
import { contrastiveLossAndGradSync, LogitBias, LogitScale, type LogitScaleOptions } from '../../lib';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { denseLossAndGrad } from '../reference/dense';
import { makePair } from '../reference/inputs';

const { queries, keys } = makePair({ rows: 12, dim: 6, seed: 3 });

/** torch.optim.Adam: without weight decay, not amsgrad. */
function torchAdam({ lr, betas = [0.9, 0.999], eps = 1e-8 }: { lr: number; betas?: number[]; eps?: number }) {
  let [step, expAvg, expAvgSq] = [0, 0, 0];
  const [beta1, beta2] = betas as [number, number];
  return (param: number, grad: number) => {
    step += 1;
    expAvg += (grad - expAvg) * (1 - beta1);
    expAvgSq = expAvgSq * beta2 + (1 - beta2) * grad * grad;
    const stepSize = lr / (1 - beta1 ** step);
    const denom = Math.sqrt(expAvgSq) / Math.sqrt(1 - beta2 ** step) + eps;
    return param - stepSize * (expAvg / denom);
  };
}

/** torch.optim.SGD with momentum, dampening 0. */
function torchSgd({ lr, momentum = 0 }: { lr: number; momentum?: number }) {
  let buffer: number | undefined;
  return (param: number, grad: number) => {
    buffer = buffer === undefined ? grad : momentum * buffer + grad;
    return param - lr * buffer;
  };
}

/** dL/ds by the dense loss in float64, and the values of 40 steps on t = log s. */
function denseScales(update: (t: number, grad: number) => number, [min, max] = [1, 100]) {
  let t = Math.log(1 / 0.07);
  return Array.from({ length: 40 }, () => {
    const s = Math.exp(t);
    const { logitScaleGrad } = denseLossAndGrad(queries, keys, { logitScale: s });
    t = Math.min(Math.max(update(t, s * logitScaleGrad), Math.log(min!)), Math.log(max!));
    return Math.exp(t);
  });
}

const gradAt = (logitScale: number) =>
  contrastiveLossAndGradSync(queries, keys, { logitScale }).logitScaleGrad;

describe('a scale over 40 steps', () => {
  it.each<[string, Partial<LogitScaleOptions> & { learningRate: number }, (t: number, g: number) => number]>([
    ['Adam', { learningRate: 0.05 }, torchAdam({ lr: 0.05 })],
    [
      'Adam with the settings of CLIP',
      { learningRate: 0.05, beta1: 0.9, beta2: 0.98, epsilon: 1e-6 },
      torchAdam({ lr: 0.05, betas: [0.9, 0.98], eps: 1e-6 }),
    ],
    ['SGD', { learningRate: 0.2, optimizer: 'sgd' }, torchSgd({ lr: 0.2 })],
    [
      'SGD with momentum',
      { learningRate: 0.1, optimizer: 'sgd', momentum: 0.9 },
      torchSgd({ lr: 0.1, momentum: 0.9 }),
    ],
  ])('by %s is that of PyTorch', (_, options, update) => {
    const expected = denseScales(update);
    const temperature = new LogitScale(options);
    const values = expected.map(() => temperature.apply(gradAt(temperature.value)));
    values.forEach((value, i) => {
      expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-4);
    });
    expect(Math.abs(Math.log(values.at(-1)! * 0.07))).toBeGreaterThan(0.05);
  });

  it('stays within its limits and leaves them again, as after clamp_', () => {
    const limits: [number, number] = [10, 20];
    const grads = [...Array(6).fill(-1), ...Array(12).fill(1), ...Array(3).fill(-1)] as number[];
    const temperature = new LogitScale({ learningRate: 0.2, min: 10, max: 20 });
    const update = torchAdam({ lr: 0.2 });
    let t = Math.log(1 / 0.07);
    for (const grad of grads) {
      t = Math.min(Math.max(update(t, Math.exp(t) * grad), Math.log(limits[0])), Math.log(limits[1]));
      expect(temperature.apply(grad)).toBeCloseTo(Math.exp(t), 10);
    }
    const seen = new LogitScale({ learningRate: 1, optimizer: 'sgd', initial: 50 });
    expect([seen.apply(-1), seen.apply(1)]).toEqual([100, 1]);
  });
});

it('a bias over 40 steps is that of PyTorch', () => {
  const update = torchAdam({ lr: 0.3 });
  const bias = new LogitBias({ learningRate: 0.3 });
  let expected = -10;
  const options = { objective: 'siglip', logitScale: 10 } as const;
  for (let step = 0; step < 40; step++) {
    expect(bias.value).toBeCloseTo(expected, 3);
    const { logitBiasGrad } = contrastiveLossAndGradSync(queries, keys, {
      ...options,
      logitBias: bias.value,
    });
    // d/db of mean over rows of sum log(1 + exp(-z x)), with z = 1 on the diagonal and -1 elsewhere
    let grad = 0;
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 12; j++) {
        let dot = 0;
        for (let d = 0; d < 6; d++) dot += queries.data[i * 6 + d]! * keys.data[j * 6 + d]!;
        const z = i === j ? 1 : -1;
        grad -= z / (1 + Math.exp(z * (10 * dot + expected))) / 12;
      }
    }
    expect(logitBiasGrad).toBeCloseTo(grad, 3);
    expected = update(expected, grad);
    expect(bias.apply(logitBiasGrad)).toBe(bias.value);
  }
  expect(Math.abs(expected + 10)).toBeGreaterThan(1);
});

describe('a checkpoint', () => {
  it.each([{}, { optimizer: 'sgd', momentum: 0.5 }, { beta2: 0.98, epsilon: 1e-6 }] as const)(
    'of a scale with %j goes on bit by bit',
    (settings) => {
      const options = { learningRate: 0.1, initial: 30, min: 2, max: 60, ...settings };
      const whole = new LogitScale(options);
      for (let i = 0; i < 5; i++) whole.apply(0.3 - 0.1 * i);
      const copy = LogitScale.from(JSON.parse(JSON.stringify(whole)));
      expect(copy).not.toBe(whole);
      for (let i = 0; i < 5; i++) expect(copy.apply(0.1 * i - 0.2)).toBe(whole.apply(0.1 * i - 0.2));
      expect(copy.toJSON()).toEqual(whole.toJSON());
    },
  );

  it('of a bias goes on bit by bit', () => {
    const whole = new LogitBias({ learningRate: 0.1, initial: -3 });
    whole.apply(0.3);
    const copy = LogitBias.from(JSON.parse(JSON.stringify(whole)));
    expect(copy.apply(-1)).toBe(whole.apply(-1));
    expect(copy.toJSON()).toEqual(whole.toJSON());
  });
});

it('the learning rate may follow a schedule', () => {
  const [scale, bias] = [
    new LogitScale({ learningRate: 1, optimizer: 'sgd' }),
    new LogitBias({ learningRate: 1, optimizer: 'sgd' }),
  ];
  for (const one of [scale, bias]) {
    one.learningRate = 0;
    const before = one.value;
    expect(one.apply(5)).toBe(before);
    one.learningRate = 0.01;
    expect(one.learningRate).toBe(0.01);
    expect(one.apply(5)).toBeLessThan(before);
    expectError(
      thrownBy(() => {
        one.learningRate = -1;
      }),
      { type: RangeError, code: 'ERR_VALUE', message: 'learningRate' },
    );
    expect(one.learningRate).toBe(0.01);
  }
});

describe('refusals', () => {
  const rate = { learningRate: 1 };
  it.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for options'],
    ['no learning rate', {}, 'ERR_TYPE', 'options.learningRate but received undefined'],
    ['a negative learning rate', { learningRate: -1 }, 'ERR_VALUE', 'options.learningRate'],
    ['an infinite learning rate', { learningRate: 1 / 0 }, 'ERR_VALUE', 'options.learningRate'],
    ['a typo', { ...rate, inital: 3 }, 'ERR_OPTION', 'did you mean initial?'],
    ['weight decay', { ...rate, weightDecay: 0.1 }, 'ERR_OPTION', 'Unknown name weightDecay'],
    [
      'another optimiser',
      { ...rate, optimizer: 'lion' },
      'ERR_VALUE',
      'one of adam, sgd for options.optimizer',
    ],
    ['beta1 of sgd', { ...rate, optimizer: 'sgd', beta1: 0.9 }, 'ERR_VALUE', "it belongs to 'adam'"],
    ['momentum of adam', { ...rate, momentum: 0.9 }, 'ERR_VALUE', "it belongs to 'sgd'"],
    ['beta2 of 1', { ...rate, beta2: 1 }, 'ERR_VALUE', 'options.beta2'],
    ['no epsilon', { ...rate, epsilon: 0 }, 'ERR_VALUE', 'options.epsilon'],
    ['a string for momentum', { ...rate, optimizer: 'sgd', momentum: '0.9' }, 'ERR_TYPE', 'options.momentum'],
    ['a string for initial', { ...rate, initial: '10' }, 'ERR_TYPE', 'options.initial'],
  ])('of both: %s', (_, options, code, message) => {
    for (const Learnt of [LogitScale, LogitBias]) {
      const error = thrownBy(() => new Learnt(options as LogitScaleOptions));
      expectError(error, { type: classOf[code] ?? RangeError, code, message });
    }
  });

  it.each<[string, object, string, string]>([
    ['a temperature', { ...rate, initial: 0.07 }, 'ERR_VALUE', 'number from 1 to 100 for options.initial'],
    ['a value beyond max', { ...rate, initial: 101 }, 'ERR_VALUE', 'options.initial'],
    ['no min', { ...rate, min: 0 }, 'ERR_VALUE', 'options.min'],
    ['an infinite max', { ...rate, max: 1 / 0 }, 'ERR_VALUE', 'options.max'],
    [
      'min above max',
      { ...rate, min: 3, max: 2, initial: 3 },
      'ERR_VALUE',
      'options.min up to options.max (2)',
    ],
  ])('of a scale: %s', (_, options, code, message) => {
    const error = thrownBy(() => new LogitScale(options as LogitScaleOptions));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  it.each<[string, unknown, string]>([
    ['NaN', Number.NaN, 'ERR_VALUE'],
    ['infinity', 1 / 0, 'ERR_VALUE'],
    ['a gradient whose square overflows', 1e200, 'ERR_VALUE'],
    ['nothing', undefined, 'ERR_TYPE'],
    ['the whole result', { logitScaleGrad: 1 }, 'ERR_TYPE'],
  ])('of apply: %s, and nothing has changed', (_, gradient, code) => {
    for (const one of [new LogitScale(rate), new LogitBias(rate)]) {
      one.apply(0.1);
      const before = one.toJSON();
      const error = thrownBy(() => one.apply(gradient as number));
      expectError(error, { type: classOf[code] ?? RangeError, code, message: 'rad' });
      expect(one.toJSON()).toEqual(before);
    }
  });

  const state = () => new LogitScale(rate).toJSON();
  it.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for state'],
    [
      'the state of a bias',
      { ...state(), kind: 'LogitBias' },
      'ERR_VALUE',
      'one of LogitScale for state.kind',
    ],
    ['an unknown name', { ...state(), more: 1 }, 'ERR_OPTION', 'Unknown name more in state'],
    ['no scale', { ...state(), logScale: null }, 'ERR_TYPE', 'state.logScale'],
    ['no limit', { ...state(), max: null }, 'ERR_TYPE', 'state.max'],
    ['no optimiser', { ...state(), optimizer: undefined }, 'ERR_TYPE', 'state.optimizer'],
    [
      'half a step',
      { ...state(), optimizer: { ...state().optimizer, steps: 0.5 } },
      'ERR_VALUE',
      'state.optimizer.steps',
    ],
    [
      'a negative mean of squares',
      { ...state(), optimizer: { ...state().optimizer, square: -1 } },
      'ERR_VALUE',
      'state.optimizer.square',
    ],
  ])('of LogitScale.from: %s', (_, given, code, message) => {
    const error = thrownBy(() => LogitScale.from(given as never));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  it('of LogitBias.from: the state of a scale', () => {
    const error = thrownBy(() => LogitBias.from(state() as never));
    expectError(error, { type: TypeError, code: 'ERR_OPTION', message: 'Unknown name logScale' });
  });
});
