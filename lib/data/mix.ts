/**
 * Which data set gives the next batch of a mix.
 *
 * Refuses to keep state that a saved position would need: the choice follows from the settings and the number of draws.
 */

import { Random } from './random';

export type Mix = 'proportional' | 'roundRobin';

/** Tells the stream of these choices from the streams of the data sets, which are numbered from 0. */
const streamOfChoices = 2 ** 32;

/** A data set by chance, in proportion to the rows that it has left. -1 if none has any. */
export function chooseByRows(
  remaining: readonly number[],
  { seed, epoch, draws }: { seed: number; epoch: number; draws: number },
): number {
  const total = remaining.reduce((sum, rows) => sum + rows, 0);
  if (total === 0) return -1;
  let point = (new Random(seed, streamOfChoices, epoch, draws).next32() / 2 ** 32) * total;
  for (const [i, rows] of remaining.entries()) {
    if (point < rows) return i;
    point -= rows;
  }
  return remaining.findLastIndex((rows) => rows > 0);
}

/**
 * Turns by weight, spread evenly: weights 2 and 1 give A B A A B A. Each data set gains its weight at each turn; the one
 * that has most takes the turn and pays the sum of all weights.
 */
export class RoundRobin {
  private readonly credits: number[];
  private readonly total: number;

  /** @param draws Turns that are over. */
  constructor(
    private readonly weights: readonly number[],
    draws: number,
  ) {
    this.credits = weights.map(() => 0);
    this.total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < draws; i++) this.take();
  }

  /** The data set whose turn is next. */
  peek(): number {
    let best = 0;
    for (let i = 1; i < this.credits.length; i++) {
      if (this.credits[i]! + this.weights[i]! > this.credits[best]! + this.weights[best]!) best = i;
    }
    return best;
  }

  /** The turn is over. */
  take(): void {
    const chosen = this.peek();
    for (let i = 0; i < this.credits.length; i++) this.credits[i]! += this.weights[i]!;
    this.credits[chosen]! -= this.total;
  }
}
