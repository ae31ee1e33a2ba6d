/**
 * Two contestants, alternating in time on the same machine: theirs, ours, theirs, and the ratio of ours to
 * the mean of the two around it. Drift of clock and neighbours then hits both, and the median of paired
 * ratios is the result.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stats } from 'infcl';
import type { EngineAnswer } from './engine.js';
import type { LineProcess } from './line-process.js';
import { median, spread } from './statistics.js';

/** Idle OpenBLAS workers spin for a while after a call and would take a core from the next contestant. */
const settleMilliseconds = 120;

export interface Duel {
  /** Median seconds. */
  ours: number;
  theirs: number;
  /** Median of ours / theirs, paired by time. */
  ratio: number;
  ratioSpread: number;
  /** The same of each one's quickest round, which its neighbours disturbed least. */
  quickestRatio: number;
  /** Of a loss; no other call has them. */
  stats: Stats;
}

export async function timedAfterRest<Answer>(process: LineProcess, request: unknown = {}): Promise<Answer> {
  await sleep(settleMilliseconds);
  return process.ask<Answer>(request);
}

export async function duel(
  ours: LineProcess,
  request: object,
  theirs: LineProcess,
  rounds: number,
): Promise<Duel> {
  const answers: EngineAnswer[] = [];
  const theirSeconds = [await timedAfterRest<number>(theirs)];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const answer = await timedAfterRest<EngineAnswer>(ours, request);
    const after = await timedAfterRest<number>(theirs);
    ratios.push(answer.seconds / ((theirSeconds[round] + after) / 2));
    answers.push(answer);
    theirSeconds.push(after);
  }
  return {
    ours: median(answers.map((answer) => answer.seconds)),
    theirs: median(theirSeconds),
    ratio: median(ratios),
    ratioSpread: spread(ratios),
    quickestRatio: Math.min(...answers.map((answer) => answer.seconds)) / Math.min(...theirSeconds),
    stats: answers[0].stats!,
  };
}

/** Starts both, duels, stops both whatever happens. `greeting` is what theirs said when it was ready. */
export async function duelOf(
  contestants: { ours: Promise<LineProcess>; theirs: Promise<LineProcess> },
  request: object,
  rounds: number,
): Promise<Duel & { greeting: string; ourGreeting: string }> {
  const [ours, theirs] = await Promise.allSettled([contestants.ours, contestants.theirs]);
  try {
    if (ours.status === 'rejected') throw ours.reason;
    if (theirs.status === 'rejected') throw theirs.reason;
    const result = await duel(ours.value, request, theirs.value, rounds);
    return { ...result, greeting: theirs.value.greeting, ourGreeting: ours.value.greeting };
  } finally {
    for (const side of [ours, theirs]) if (side.status === 'fulfilled') await side.value.stop();
  }
}
