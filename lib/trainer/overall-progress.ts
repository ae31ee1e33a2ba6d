/**
 * How much of a whole step is done: one number for all phases. It is the time that went by, over this time and the
 * time that is expected to come. Expectations are corrected by each measurement, and correct only what is to come.
 * So the number never falls.
 *
 * Refuses to guess the number of rows: before it is known there is no number.
 */

import type { StepProgress } from './step-context';
import type { TowerName } from './tower';

/** What is known of a tower before its first chunk. */
export interface ExpectedTower {
  name: TowerName;
  /** Whether a backward phase will follow. */
  trained: boolean;
  /** Rows that its caller expects, if known. */
  rows: number | undefined;
  /** Of a tower of hard negatives: rows for each query. */
  perQuery?: number | undefined;
}

/** Seconds of the loss on so many rows, if known. */
export type ExpectedLoss = (rows: { queries: number; keys: number }) => number | undefined;

/** Rows of one phase, and the seconds that they took. */
interface Measured {
  rows: number;
  seconds: number;
}

interface TowerWork extends ExpectedTower {
  encode: Measured;
  backward: Measured;
  /** Whether its last chunk is encoded. */
  isEncoded: boolean;
}

/**
 * Time of `backward` over time of `encode` for the same rows, before the first measurement: `backward` encodes again,
 * and multiplies twice for each product of `encode`.
 */
const usualBackward = 3;
/** A clock that stands still must not end the step. */
const leastSeconds = 1e-9;
const almostDone = 1 - Number.EPSILON;

export class OverallProgress {
  private readonly towers: TowerWork[];
  private readonly loss = { fraction: 0, seconds: 0 };
  private phase: StepProgress['phase'] = 'encode';
  private last: number;
  /** Seconds since the last number, or since the begin of the step. */
  private gone = 0;
  private done = 0;

  /**
   * The step begins now.
   *
   * @param towers In the order in which the step encodes them.
   * @param now Seconds.
   */
  constructor(
    towers: readonly ExpectedTower[],
    private readonly expectedLoss: ExpectedLoss,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.towers = towers.map((tower) => ({
      ...tower,
      encode: { rows: 0, seconds: 0 },
      backward: { rows: 0, seconds: 0 },
      isEncoded: false,
    }));
    this.last = now();
  }

  /** Takes each report of the step in turn. Returns the number, or undefined while rows are unknown. */
  after(report: StepProgress): number | undefined {
    const now = this.now();
    const seconds = Math.max(0, now - this.last);
    this.last = now;
    this.gone += seconds;
    this.measure(report, seconds);
    const left = this.secondsLeft();
    if (left === undefined) return undefined;
    const step = this.gone / (this.gone + left);
    this.gone = 0;
    this.done = left === 0 ? 1 : Math.min(almostDone, this.done + (1 - this.done) * step);
    return this.done;
  }

  private measure({ phase, tower: name, rows, fraction }: StepProgress, seconds: number): void {
    this.phase = phase;
    if (phase === 'loss') {
      this.loss.fraction = fraction ?? 0;
      this.loss.seconds += seconds;
    }
    const index = this.towers.findIndex((tower) => tower.name === name);
    // the step encodes one tower after another
    for (const [i, tower] of this.towers.entries()) tower.isEncoded ||= phase !== 'encode' || i < index;
    if (phase === 'loss') return;
    const measured = this.towers[index]![phase];
    measured.rows = rows;
    measured.seconds += seconds;
  }

  /** 0 after the last chunk only. Undefined while the rows of a tower are unknown. */
  private secondsLeft(): number | undefined {
    let [left, isOver] = [0, this.phase === 'backward'];
    const rowsOf = { queries: 0, keys: 0, hardNegatives: 0 };
    for (const tower of this.towers) {
      const total = totalRows(tower, rowsOf.queries);
      if (total === undefined) return undefined;
      rowsOf[tower.name] = total;
      const toEncode = total - tower.encode.rows;
      const toPush = tower.trained ? total - tower.backward.rows : 0;
      if (toEncode > 0 || toPush > 0) isOver = false;
      left += toEncode * this.encodeRate(tower) + toPush * this.backwardRate(tower);
    }
    return isOver ? 0 : Math.max(leastSeconds, left + this.lossSecondsLeft(rowsOf));
  }

  private lossSecondsLeft(rows: { queries: number; keys: number }): number {
    const { fraction, seconds } = this.loss;
    if (this.phase === 'backward') return 0;
    if (fraction > 0) return (seconds * (1 - fraction)) / fraction;
    return Math.max(0, (this.expectedLoss(rows) ?? 0) - seconds);
  }

  /** Seconds a row: of this tower, or of those before. */
  private encodeRate({ encode }: TowerWork): number {
    const { rows, seconds } = encode.rows > 0 ? encode : sumOf(this.towers.map((tower) => tower.encode));
    return seconds / Math.max(1, rows);
  }

  /** Seconds a row: of this tower, or by what the towers before took for `backward` and `encode` of the same rows. */
  private backwardRate(tower: TowerWork): number {
    if (tower.backward.rows > 0) return tower.backward.seconds / tower.backward.rows;
    let [encode, backward] = [0, 0];
    for (const other of this.towers) {
      encode += other.backward.rows * this.encodeRate(other);
      backward += other.backward.seconds;
    }
    return this.encodeRate(tower) * (encode > 0 ? backward / encode : usualBackward);
  }
}

/** @param queries Rows of the tower of queries, which comes first. */
function totalRows({ isEncoded, encode, rows, perQuery }: TowerWork, queries: number): number | undefined {
  if (isEncoded) return encode.rows;
  const expected = rows ?? (perQuery === undefined ? undefined : perQuery * queries);
  return expected === undefined ? undefined : Math.max(expected, encode.rows);
}

function sumOf(parts: readonly Measured[]): Measured {
  return parts.reduce(
    (sum, { rows, seconds }) => ({ rows: sum.rows + rows, seconds: sum.seconds + seconds }),
    { rows: 0, seconds: 0 },
  );
}
