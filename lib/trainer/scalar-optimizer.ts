/**
 * The optimiser of one number: Adam, or gradient descent with momentum, with the formulas of `torch.optim`. In
 * float64, without weight decay.
 *
 * Refuses to know the meaning of the number, and limits.
 */

import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';

export interface ScalarOptimizerOptions {
  /** Size of a step; at least 0. May be changed between steps, as a schedule does. */
  learningRate: number;
  /** Default 'adam'. */
  optimizer?: 'adam' | 'sgd' | undefined;
  /** Decay of the mean of gradients, from 0 to below 1; default 0.9. Adam only. */
  beta1?: number | undefined;
  /** Decay of the mean of squares, from 0 to below 1; default 0.999. Adam only. CLIP uses 0.98. */
  beta2?: number | undefined;
  /** Added to the root of the mean of squares; positive, default 1e-8. Adam only. CLIP uses 1e-6. */
  epsilon?: number | undefined;
  /** Part of the last step that the next one repeats, from 0 to below 1; default 0. 'sgd' only. */
  momentum?: number | undefined;
}

/** All that a continued run needs, as JSON. */
export interface ScalarOptimizerState {
  optimizer: 'adam' | 'sgd';
  learningRate: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  momentum?: number;
  /** Steps made. */
  steps: number;
  /** Adam's mean of gradients, or the velocity of 'sgd'. */
  mean: number;
  /** Adam's mean of squares. */
  square?: number;
}

export const optimizerNames = [
  ...(['learningRate', 'optimizer', 'beta1', 'beta2', 'epsilon', 'momentum'] as const),
] as const;
type OptimizerName = (typeof optimizerNames)[number];

/** Options that only one optimiser has, and their defaults. */
const settingsOf = {
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  sgd: { momentum: 0 },
} as const;
const settingNames = ['beta1', 'beta2', 'epsilon', 'momentum'] as const;
type Settings = Partial<Record<(typeof settingNames)[number], number>>;

export class ScalarOptimizer {
  private rate: number;
  private readonly optimizer: 'adam' | 'sgd';
  private readonly settings: Settings;
  private steps = 0;
  private mean = 0;
  private square = 0;

  /** Throws ERR_TYPE or ERR_VALUE. `where` names the object in messages. */
  constructor(where: string, given: Record<OptimizerName, unknown>) {
    this.rate = readRate(`${where}.learningRate`, given.learningRate);
    this.optimizer =
      given.optimizer === undefined
        ? 'adam'
        : check.oneOf(`${where}.optimizer`, given.optimizer, ['adam', 'sgd']);
    this.settings = readSettings(where, this.optimizer, given);
  }

  /** What `state` returned. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION for anything else. */
  static from(state: unknown, where: string): ScalarOptimizer {
    const given = readNames(where, state, [...optimizerNames, 'steps', 'mean', 'square']);
    const made = new ScalarOptimizer(where, given);
    made.steps = check.nonNegativeInteger(`${where}.steps`, given.steps);
    made.mean = check.finiteNumber(`${where}.mean`, given.mean);
    if (made.optimizer === 'adam') {
      made.square = check.numberBetween(`${where}.square`, given.square, 0, Number.MAX_VALUE);
    }
    return made;
  }

  get learningRate(): number {
    return this.rate;
  }

  set learningRate(value: number) {
    this.rate = readRate('learningRate', value);
  }

  /**
   * What is to be added to the number, whose gradient is finite. Throws ERR_VALUE for a gradient so large that a
   * float64 overflows; nothing has changed then.
   */
  step(gradient: number): number {
    const { settings, rate } = this;
    const { momentum = 0, beta1 = 0, beta2 = 0, epsilon = 0 } = settings;
    const isAdam = this.optimizer === 'adam';
    const steps = this.steps + 1;
    const mean = isAdam ? beta1 * this.mean + (1 - beta1) * gradient : momentum * this.mean + gradient;
    const square = isAdam ? beta2 * this.square + (1 - beta2) * gradient * gradient : 0;
    if (!Number.isFinite(mean) || !Number.isFinite(square)) {
      throw check.invalid('ERR_VALUE', 'the gradient', 'number whose square is finite', gradient);
    }
    Object.assign(this, { steps, mean, square });
    if (!isAdam) return -rate * mean;
    const unbiased = square / (1 - beta2 ** steps);
    return (-rate * mean) / (1 - beta1 ** steps) / (Math.sqrt(unbiased) + epsilon);
  }

  state(): ScalarOptimizerState {
    const { optimizer, rate: learningRate, settings, steps, mean, square } = this;
    return {
      ...{ optimizer, learningRate, ...settings, steps, mean },
      ...(optimizer === 'adam' && { square }),
    };
  }
}

function readRate(name: string, value: unknown): number {
  return check.numberBetween(name, value, 0, Number.MAX_VALUE);
}

function readSettings(
  where: string,
  optimizer: 'adam' | 'sgd',
  given: Record<OptimizerName, unknown>,
): Settings {
  const settings: Settings = { ...settingsOf[optimizer] };
  for (const name of settingNames) {
    const value = given[name];
    if (value === undefined) continue;
    if (!(name in settings)) {
      const other = optimizer === 'adam' ? 'sgd' : 'adam';
      throw codedError(
        'ERR_VALUE',
        `Expected no ${where}.${name} for optimizer '${optimizer}' but received one: it belongs to '${other}'`,
      );
    }
    settings[name] =
      name === 'epsilon'
        ? check.numberBetween(`${where}.${name}`, value, Number.MIN_VALUE, Number.MAX_VALUE)
        : check.fraction(`${where}.${name}`, value);
  }
  return settings;
}
