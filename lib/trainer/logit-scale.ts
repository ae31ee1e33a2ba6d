/**
 * The learnt temperature and the learnt bias of a contrastive loss, each with its own optimiser. For programs whose
 * framework does not own these two numbers, or that have no framework.
 *
 * Refuses weight decay: it would pull the scale towards 1, and the bias towards 0.
 */

import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';
import {
  optimizerNames,
  ScalarOptimizer,
  type ScalarOptimizerOptions,
  type ScalarOptimizerState,
} from './scalar-optimizer';

export interface LogitScaleOptions extends ScalarOptimizerOptions {
  /** The first value, 1 / temperature; default 1 / 0.07 (CLIP, arXiv 2103.00020). */
  initial?: number | undefined;
  /** The least value, default 1, as in open_clip. */
  min?: number | undefined;
  /** The greatest value, default 100 (CLIP). */
  max?: number | undefined;
}

export interface LogitScaleState {
  kind: 'LogitScale';
  /** log of the scale. */
  logScale: number;
  min: number;
  max: number;
  optimizer: ScalarOptimizerState;
}

/** What the loss functions accept for `logitScale`. */
const [leastScale, mostScale] = [1e-25, 1e30];

/**
 * A learnt `logitScale` s = exp(t). The parameter t is trained: its gradient is s · dL/ds. After each step, t is put
 * back between log `min` and log `max`.
 *
 *     const temperature = new LogitScale({ learningRate: 1e-3 });
 *     const { logitScaleGrad } = await chunkedStep({ ..., loss: { logitScale: temperature.value } });
 *     temperature.apply(logitScaleGrad);
 */
export class LogitScale {
  private logScale: number;
  private readonly min: number;
  private readonly max: number;
  private optimizer: ScalarOptimizer;

  /** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
  constructor(options: LogitScaleOptions) {
    const given = readNames('options', options, [...optimizerNames, 'initial', 'min', 'max']);
    [this.min, this.max] = readLimits('options', { min: given.min ?? 1, max: given.max ?? 100 });
    const initial = given.initial ?? 1 / 0.07;
    this.logScale = Math.log(check.numberBetween('options.initial', initial, this.min, this.max));
    this.optimizer = new ScalarOptimizer('options', given);
  }

  /** A scale that goes on from what `toJSON` returned. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
  static from(state: LogitScaleState): LogitScale {
    const given = readNames('state', state, ['kind', 'logScale', 'min', 'max', 'optimizer']);
    check.oneOf('state.kind', given.kind, ['LogitScale']);
    const [min, max] = readLimits('state', given);
    const logScale = check.finiteNumber('state.logScale', given.logScale);
    const optimizer = ScalarOptimizer.from(given.optimizer, 'state.optimizer');
    const made = new LogitScale({ initial: min, min, max, learningRate: 0 });
    made.logScale = clamp(logScale, Math.log(min), Math.log(max));
    made.optimizer = optimizer;
    return made;
  }

  /** The scale now, for the option `logitScale`. */
  get value(): number {
    // exp(log(100)) is a little more than 100
    return clamp(Math.exp(this.logScale), this.min, this.max);
  }

  /** Size of the next step. May be set between steps. */
  get learningRate(): number {
    return this.optimizer.learningRate;
  }

  set learningRate(value: number) {
    this.optimizer.learningRate = value;
  }

  /**
   * One step of the optimiser. Returns the new value.
   *
   * @param logitScaleGrad dL/ds at the present value, as the loss functions and `chunkedStep` return it.
   *
   * Throws ERR_TYPE or ERR_VALUE for a gradient that is no finite number. The scale then stays as it was.
   */
  apply(logitScaleGrad: number): number {
    const gradient = this.value * check.finiteNumber('logitScaleGrad', logitScaleGrad);
    const moved = this.logScale + this.optimizer.step(gradient);
    this.logScale = clamp(moved, Math.log(this.min), Math.log(this.max));
    return this.value;
  }

  /** All that {@link LogitScale.from} needs, for a checkpoint. */
  toJSON(): LogitScaleState {
    const { logScale, min, max, optimizer } = this;
    return { kind: 'LogitScale', logScale, min, max, optimizer: optimizer.state() };
  }
}

export interface LogitBiasOptions extends ScalarOptimizerOptions {
  /**
   * The first value; default -10 (SigLIP, arXiv 2303.15343). -log(N - 1) for N keys makes the first loss as small as
   * a constant can.
   */
  initial?: number | undefined;
}

export interface LogitBiasState {
  kind: 'LogitBias';
  bias: number;
  optimizer: ScalarOptimizerState;
}

/** A learnt `logitBias`, for `siglip`. Used like {@link LogitScale}; it has no limits. */
export class LogitBias {
  private bias: number;
  private optimizer: ScalarOptimizer;

  /** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
  constructor(options: LogitBiasOptions) {
    const given = readNames('options', options, [...optimizerNames, 'initial']);
    this.bias = given.initial === undefined ? -10 : check.finiteNumber('options.initial', given.initial);
    this.optimizer = new ScalarOptimizer('options', given);
  }

  /** A bias that goes on from what `toJSON` returned. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
  static from(state: LogitBiasState): LogitBias {
    const given = readNames('state', state, ['kind', 'bias', 'optimizer']);
    check.oneOf('state.kind', given.kind, ['LogitBias']);
    const initial = check.finiteNumber('state.bias', given.bias);
    const optimizer = ScalarOptimizer.from(given.optimizer, 'state.optimizer');
    const made = new LogitBias({ initial, learningRate: 0 });
    made.optimizer = optimizer;
    return made;
  }

  /** The bias now, for the option `logitBias`. */
  get value(): number {
    return this.bias;
  }

  /** Size of the next step. May be set between steps. */
  get learningRate(): number {
    return this.optimizer.learningRate;
  }

  set learningRate(value: number) {
    this.optimizer.learningRate = value;
  }

  /**
   * One step of the optimiser. Returns the new value.
   *
   * @param logitBiasGrad dL/dBias at the present value, as the loss functions and `chunkedStep` return it.
   *
   * Throws ERR_TYPE or ERR_VALUE for a gradient that is no finite number. The bias then stays as it was.
   */
  apply(logitBiasGrad: number): number {
    this.bias += this.optimizer.step(check.finiteNumber('logitBiasGrad', logitBiasGrad));
    return this.bias;
  }

  /** All that {@link LogitBias.from} needs, for a checkpoint. */
  toJSON(): LogitBiasState {
    return { kind: 'LogitBias', bias: this.bias, optimizer: this.optimizer.state() };
  }
}

/** Throws ERR_TYPE or ERR_VALUE. */
function readLimits(where: string, given: { min: unknown; max: unknown }): [min: number, max: number] {
  const min = check.numberBetween(`${where}.min`, given.min, leastScale, mostScale);
  const max = check.numberBetween(`${where}.max`, given.max, leastScale, mostScale);
  if (min <= max) return [min, max];
  throw codedError('ERR_VALUE', `Expected ${where}.min up to ${where}.max (${max}) but received ${min}`);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
