/**
 * The host without a framework: the network and its gradient as loops. It shows what the suite asks of an encoder, and
 * it is the trained partner of hosts whose towers are frozen.
 */
import { codedError } from '../../../lib/errors';
import type { HalfFloatArray } from '../../../lib/matrix/host-matrix';
import type { FeatureGrads } from '../../../lib/trainer';
import { narrow } from '../../reference/narrow';
import type { Host, HostOptimiser, HostTower, TowerOptions } from './host';
import { Adam, featureDim, featuresOf, inputDim, type Parameters, pullBack } from './network';

/** Node 23 and newer have this class. */
const { Float16Array: Half } = globalThis as {
  Float16Array?: { from(values: Float32Array): HalfFloatArray };
};

/** A generator whose whole state is one integer. */
class Draws {
  constructor(public state: number) {}

  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }
}

export class HandWrittenTower implements HostTower<Float32Array> {
  readonly values: Parameters;
  readonly encoder;
  private sums: Parameters<Float64Array> | undefined;
  private readonly draws: Draws;

  constructor(private readonly options: TowerOptions) {
    const { parameters, seed = 1, frozen } = options;
    this.values = { weights: parameters.weights.slice(), bias: parameters.bias.slice() };
    this.draws = new Draws(seed);
    this.encoder = {
      encode: (chunk: Float32Array) => this.encode(chunk),
      ...(frozen
        ? {}
        : { backward: (chunk: Float32Array, grads: FeatureGrads) => this.backward(chunk, grads) }),
      randomState: () => this.draws.state,
      restoreRandomState: (state: unknown) => {
        this.draws.state = state as number;
      },
    };
  }

  async takeGradients(): Promise<Parameters> {
    if (this.sums === undefined) throw codedError('ERR_ENCODER', 'There are no gradients');
    const { weights, bias } = this.sums;
    this.sums = undefined;
    return { weights: Float32Array.from(weights), bias: Float32Array.from(bias) };
  }

  discardGradients(): void {
    this.sums = undefined;
  }

  async parameters(): Promise<Parameters> {
    return { weights: this.values.weights.slice(), bias: this.values.bias.slice() };
  }

  dispose(): void {
    this.discardGradients();
  }

  private encode(chunk: Float32Array) {
    this.options.beforeRun?.();
    const data = Float32Array.from(featuresOf({ parameters: this.values, inputs: this.drop(chunk) }));
    const features = { data, shape: [chunk.length / inputDim, featureDim] as const };
    if (!this.options.half) return features;
    return Half ? { ...features, data: Half.from(data) } : narrow(features, 'float16').bits;
  }

  private backward(chunk: Float32Array, { data, shape }: FeatureGrads): void {
    this.options.beforeRun?.();
    const rows = chunk.length / inputDim;
    if (shape[0] !== rows) throw codedError('ERR_CHUNKS', `Expected ${shape[0]} rows but received ${rows}`);
    const { weights, bias } = pullBack({ parameters: this.values, inputs: this.drop(chunk) }, data);
    this.sums ??= { weights: new Float64Array(weights.length), bias: new Float64Array(bias.length) };
    addTo(this.sums.weights, weights);
    addTo(this.sums.bias, bias);
  }

  private drop(chunk: Float32Array): Float32Array {
    const { dropout = 0 } = this.options;
    return dropout === 0 ? chunk : chunk.map((x) => (this.draws.next() < dropout ? 0 : x / (1 - dropout)));
  }
}

function addTo(sum: Float64Array, terms: Float64Array): void {
  terms.forEach((term, i) => {
    sum[i]! += term;
  });
}

function makeOptimiser(towers: readonly HostTower<Float32Array>[]): HostOptimiser {
  const slots = (towers as readonly HandWrittenTower[]).map((tower) => ({
    tower,
    weights: new Adam(tower.values.weights),
    bias: new Adam(tower.values.bias),
  }));
  return {
    async step() {
      for (const { tower, weights, bias } of slots) {
        const gradients = await tower.takeGradients();
        weights.step(gradients.weights);
        bias.step(gradients.bias);
        tower.values.weights.set(weights.values);
        tower.values.bias.set(bias.values);
      }
    },
    dispose() {},
  };
}

export const handWrittenHost: Host<Float32Array> = {
  name: 'an encoder by hand',
  trains: true,
  makeTower: (options) => new HandWrittenTower(options),
  makeChunk: (rows) => rows,
  makeOptimiser,
  cannot: {
    autodiff: 'there is no framework that differentiates',
    nestedGradient: 'there is no framework that differentiates',
    memory: 'all its arrays are left to the garbage collector',
  },
};
