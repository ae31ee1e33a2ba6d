/**
 * The price of decoupling the backbone from the loss: `chunkedStep` against a step of the same size that keeps all
 * activations in memory and encodes once. The cost report of a chunked step says how much time the other one would
 * save; this case holds that number against a clock.
 */
import { type CostReport, chunkedStep, contrastiveLossAndGrad, type FeatureGrads } from 'infcl';
import type { BenchCase } from '../bench-case.js';
import type { Row } from '../report.js';
import { median, spread } from '../statistics.js';
import { type Activations, Network, type NetworkShape } from '../step-encoder.js';
import { unitRows } from '../unit-rows.js';

interface StepShape extends NetworkShape {
  label: string;
  rows: number;
  chunk: number;
  frozenKeys?: boolean;
}

/** What the report says and what the clock says may differ by this fraction of the step. */
const limit = 0.05;

class Step {
  private readonly networks: [Network, Network];
  private readonly inputs: [Float32Array, Float32Array];
  private readonly loss = { logitScale: 10 } as const;

  constructor(private readonly shape: StepShape) {
    this.networks = [new Network(shape, 1), new Network(shape, 5)];
    this.inputs = [unitRows(shape.rows, shape.inputs, 11), unitRows(shape.rows, shape.inputs, 12)];
  }

  private chunks(side: 0 | 1): Float32Array[] {
    const { rows, chunk, inputs } = this.shape;
    return Array.from({ length: Math.ceil(rows / chunk) }, (_, i) =>
      this.inputs[side].subarray(i * chunk * inputs, Math.min(rows, (i + 1) * chunk) * inputs),
    );
  }

  async chunked(): Promise<CostReport> {
    const { rows, dim, frozenKeys } = this.shape;
    const tower = (side: 0 | 1) => {
      const network = this.networks[side];
      const encode = (x: Float32Array) => {
        const { features } = network.forward(x);
        return { data: features, shape: [features.length / dim, dim] };
      };
      const backward = (x: Float32Array, { data }: FeatureGrads) =>
        network.backward(x, network.forward(x), data);
      const encoder = side === 1 && frozenKeys ? { encode } : { encode, backward };
      return { encoder, chunks: () => this.chunks(side), rows };
    };
    return (await chunkedStep({ queries: tower(0), keys: tower(1), loss: this.loss })).cost;
  }

  /** The same chunks, one after another, so that the two steps differ in one thing alone: nothing is encoded twice. */
  async plain(): Promise<void> {
    const { rows, dim, frozenKeys } = this.shape;
    const features = [new Float32Array(rows * dim), new Float32Array(rows * dim)];
    const kept: Activations[][] = ([0, 1] as const).map((side) => {
      let at = 0;
      return this.chunks(side).map((x) => {
        const activations = this.networks[side].forward(x);
        features[side].set(activations.features, at);
        at += activations.features.length;
        return activations;
      });
    });
    const [queries, keys] = features.map((data) => ({ data, shape: [rows, dim] as const }));
    const options = { ...this.loss, grad: { queries: true, keys: !frozenKeys } };
    const { queryGrads, keyGrads } = await contrastiveLossAndGrad(queries, keys, options);
    for (const side of frozenKeys ? ([0] as const) : ([0, 1] as const)) {
      let at = 0;
      this.chunks(side).forEach((x, i) => {
        const activations = kept[side][i];
        const end = at + activations.features.length;
        this.networks[side].backward(x, activations, (side === 0 ? queryGrads : keyGrads).subarray(at, end));
        at = end;
      });
    }
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

async function compare(shape: StepShape, rounds: number): Promise<Row> {
  const step = new Step(shape);
  await step.plain(); // compiles
  await step.chunked();
  const [ours, reported, saved] = [[], [], []] as number[][];
  const theirs = [await timed(() => step.plain())];
  for (let round = 0; round < rounds; round++) {
    const cost = await step.chunked();
    theirs.push(await timed(() => step.plain()));
    ours.push(cost.totalSeconds);
    reported.push(cost.overheadRatio);
    saved.push(1 - (theirs[round] + theirs[round + 1]) / 2 / cost.totalSeconds);
  }
  const difference = Math.abs(median(reported) - median(saved));
  return {
    label: `${shape.label}: B ${shape.rows}, D ${shape.dim}, hidden ${shape.hidden}`,
    cells: {
      'chunked s': median(ours),
      'all activations s': median(theirs),
      '± of it': median(theirs) * spread(theirs),
      'saved, by the clock': median(saved),
      overheadRatio: median(reported),
    },
    targets: [{ what: 'difference', value: difference, limit, direction: 'atMost' }],
  };
}

const step: BenchCase = {
  name: 'step',
  title: 'A chunked step against one with all activations in memory, and what its cost report says of that',
  async *run({ quick }) {
    const rows = quick ? 256 : 4096;
    const network = { rows, chunk: rows / 8, inputs: 256, hidden: quick ? 64 : 256, dim: 64 };
    const shapes: StepShape[] = [
      { label: 'the network takes most', ...network },
      { label: 'frozen keys', ...network, frozenKeys: true },
      {
        label: 'the loss takes most',
        ...network,
        rows: quick ? 1024 : 16_384,
        chunk: 512,
        inputs: 16,
        hidden: 16,
      },
    ];
    for (const shape of shapes) yield await compare(shape, quick ? 3 : 7);
  },
};

export const stepCases: BenchCase[] = [step];
