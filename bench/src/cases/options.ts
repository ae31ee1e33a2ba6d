/**
 * The cost or gain of each option against float32 `clip` on the same rows, in one process and one run.
 */
import { type BenchCase, type BenchContext, rowOrSkip } from '../bench-case.js';
import { timedAfterRest } from '../duel.js';
import { type EngineAnswer, type EngineRequest, startEngine } from '../engine.js';
import type { Row, Target } from '../report.js';
import { median } from '../statistics.js';

interface Variant {
  label: string;
  request: EngineRequest;
  /** Limit of the time relative to clip. */
  limit?: number;
  /** For the time of what it is compared with; default: plain clip. */
  against?: EngineRequest;
}

const shapeOf = (context: BenchContext) =>
  context.quick ? { rows: 2048, dim: 256 } : { rows: 8192, dim: 512 };

/** Alternates the variant with its base, and compares neighbours in time. */
export async function compare(
  engine: Awaited<ReturnType<typeof startEngine>>,
  { label, request, against = {}, limit }: Variant,
  rounds: number,
): Promise<Row> {
  const ours: EngineAnswer[] = [];
  const base: number[] = [];
  const ask = (what: EngineRequest) => timedAfterRest<EngineAnswer>(engine, what);
  await ask(request); // the first of its kind touches its pages
  for (let round = 0; round < rounds; round++) {
    base.push((await ask(against)).seconds);
    ours.push(await ask(request));
  }
  const ratio = median(ours.map(({ seconds }, round) => seconds / base[round]));
  const stats = ours[0].stats!;
  const targets: Target[] = limit ? [{ what: 'time', value: ratio, limit, direction: 'atMost' }] : [];
  return {
    label,
    cells: {
      isa: stats.isa,
      seconds: median(ours.map(({ seconds }) => seconds)),
      'time / base': ratio,
      GFLOP: stats.flops / 1e9,
      'tiles skipped': stats.tilesSkipped,
      tiles: stats.tiles,
    },
    targets,
  };
}

const variants: BenchCase = {
  name: 'options',
  title: 'Objectives and arithmetic, against float32 clip on the same rows',
  async *run(context) {
    const shape = shapeOf(context);
    const engine = await startEngine(shape);
    const all: Variant[] = [
      { label: 'ntxent', request: { options: { objective: 'ntxent' }, halves: true }, limit: 0.56 },
      {
        label: 'supcon, 100 classes',
        request: { options: { objective: 'supcon' }, halves: true, classes: 100 },
      },
      { label: 'infonce', request: { options: { objective: 'infonce' } } },
      { label: 'siglip', request: { options: { objective: 'siglip' } } },
      { label: 'bfloat16 products', request: { options: { compute: 'bfloat16' } }, limit: 0.56 },
      { label: 'label smoothing', request: { options: { labelSmoothing: 0.1 } } },
      { label: 'false-negative margin', request: { options: { falseNegativeMargin: 0.1 } } },
      { label: 'frozen keys', request: { options: {}, products: 'frozen' } },
      { label: 'every logit kept (3 products)', request: { options: { workspaceBytes: 2 ** 29 } } },
    ];
    for (const variant of all)
      yield* rowOrSkip(context, variant.label, () => compare(engine, variant, context.quick ? 3 : 5));
    await engine.stop();
  },
};

const filter: BenchCase = {
  name: 'filter',
  title: 'Gradient filter 1e-3 against exact gradients: what it skips depends on how peaked the softmax is',
  async *run(context) {
    const stages = [
      { stage: 'early training', cosines: { pairs: 0, strangers: 0 }, logitScale: 14 },
      // as published CLIP models have them
      { stage: 'trained', cosines: { pairs: 0.32, strangers: 0.08 }, logitScale: 100 },
      { stage: 'nearly solved', cosines: { pairs: 0.4, strangers: 0.08 }, logitScale: 100 },
      { stage: 'solved', cosines: { pairs: 0.8, strangers: 0.08 }, logitScale: 100 },
    ];
    for (const { stage, cosines, logitScale } of stages) {
      const label = `${stage} (cosines ${cosines.pairs} of pairs, ${cosines.strangers} of others, scale ${logitScale})`;
      const engine = await startEngine({ ...shapeOf(context), cosines });
      const request = { options: { logitScale, gradientFilter: 1e-3 } };
      yield await compare(
        engine,
        { label, request, against: { options: { logitScale } } },
        context.quick ? 3 : 5,
      );
      await engine.stop();
    }
  },
};

export const optionCases: BenchCase[] = [variants, filter];
