/**
 * Which training comes next in the comparison of settings, from the trainings that are done. A pure function, so
 * that a comparison of more than an hour can be made in pieces. Refuses to train.
 *
 * Four rounds, all tested on another set than the one that the figures are about:
 * 1. rates: three learning rates for each batch size, few epochs, one seed;
 * 2. pairs: the best rate of each size, all sizes see equally many icons, two seeds;
 * 3. time: each size trains as long as the largest one took in round 2, one seed;
 * 4. augmentation: the usual batch without shifts, and with other dropout.
 */

export interface SweepSpec {
  round: 'rates' | 'pairs' | 'time' | 'augmentation';
  batch: number;
  learningRate: number;
  steps: number;
  seed: number;
  dropout: number;
  /** How many of the shifts are used; 1 is none but (0, 0). */
  shifts: number;
}

export interface SweepRecord extends SweepSpec {
  seconds: number;
  /** Top-1 accuracy among the classes of the learning curve. */
  top1: number;
  /** Share of seen captions that find an icon of theirs first. */
  at1: number;
  divergedAt?: number;
}

export interface SweepPlan {
  icons: number;
  batches: readonly number[];
  rateEpochs: number;
  epochs: number;
  seeds: readonly number[];
  dropout: number;
  shifts: number;
}

/** Rates to try, as multiples of the square root of the batch: larger batches bear larger rates. */
const rateFactors = [0.5, 1, 2];
/** The rate at a batch of 1,024. */
const usualRate = 0.002;
const usualBatch = 1024;

/** The next training, or undefined where all are done. */
export function nextRun(plan: SweepPlan, done: readonly SweepRecord[]): SweepSpec | undefined {
  for (const round of [rateRuns, pairRuns, timeRuns, augmentationRuns]) {
    const next = round(plan, done).find((spec) => !done.some((record) => isSame(record, spec)));
    // a round builds on those before it
    if (next !== undefined) return next;
  }
  return undefined;
}

/** Steps and rates may follow from measured seconds and earlier results, and do not name a run. */
function isSame(a: SweepSpec, b: SweepSpec): boolean {
  const sameRate = a.round !== 'rates' || a.learningRate === b.learningRate;
  const names = ['round', 'batch', 'seed', 'dropout', 'shifts'] as const;
  return sameRate && names.every((name) => a[name] === b[name]);
}

function rateRuns(plan: SweepPlan): SweepSpec[] {
  return plan.batches.flatMap((batch) =>
    rateFactors.map((factor) => ({
      ...base(plan, batch, plan.rateEpochs),
      round: 'rates' as const,
      learningRate: Number((factor * usualRate * Math.sqrt(batch / usualBatch)).toPrecision(3)),
    })),
  );
}

function pairRuns(plan: SweepPlan, done: readonly SweepRecord[]): SweepSpec[] {
  return plan.seeds.flatMap((seed) =>
    plan.batches.map((batch) => ({
      ...base(plan, batch, plan.epochs),
      ...{ round: 'pairs' as const, seed, learningRate: bestRate(done, batch) },
    })),
  );
}

function timeRuns(plan: SweepPlan, done: readonly SweepRecord[]): SweepSpec[] {
  const ofPairs = (batch: number) =>
    done.find(
      (record) => record.round === 'pairs' && record.batch === batch && record.seed === plan.seeds[0],
    )!;
  const largest = Math.max(...plan.batches);
  return plan.batches
    .filter((batch) => batch < largest)
    .map((batch) => {
      const { seconds, steps, learningRate } = ofPairs(batch);
      const affordable = Math.max(1, Math.round((ofPairs(largest).seconds / seconds) * steps));
      return { ...base(plan, batch, 1), round: 'time' as const, steps: affordable, learningRate };
    });
}

function augmentationRuns(plan: SweepPlan, done: readonly SweepRecord[]): SweepSpec[] {
  const batch = plan.batches.includes(usualBatch) ? usualBatch : plan.batches[0]!;
  const usual = { ...base(plan, batch, plan.epochs), learningRate: bestRate(done, batch) };
  const { dropout } = plan;
  return [
    { ...usual, round: 'augmentation', shifts: 1 },
    { ...usual, round: 'augmentation', dropout: dropout - 0.2 },
    { ...usual, round: 'augmentation', dropout: dropout + 0.1 },
  ];
}

function base({ icons, seeds, dropout, shifts }: SweepPlan, batch: number, epochs: number) {
  return { batch, steps: epochs * Math.floor(icons / batch), seed: seeds[0]!, dropout, shifts };
}

/** Of the runs of round 1 that did not diverge; the usual rate where all did. */
function bestRate(done: readonly SweepRecord[], batch: number): number {
  const own = done.filter(
    (run) => run.round === 'rates' && run.batch === batch && run.divergedAt === undefined,
  );
  const best = own.reduce<SweepRecord | undefined>(
    (most, run) => (run.top1 > (most?.top1 ?? -1) ? run : most),
    undefined,
  );
  return best?.learningRate ?? usualRate;
}
