/**
 * The common state of all phases of one step: the signal, the progress report, and the pause between chunks.
 *
 * Refuses to know towers and losses.
 */

import timers from 'node:timers';
import type { ProgressReporter } from '../loss/progress';
import { throwIfAborted } from '../on-abort';
import type { TowerName } from './tower';

/** A phase of a step: all towers encode, the loss is computed, trained towers encode again with a graph. */
export type StepPhase = 'encode' | 'loss' | 'backward';

export interface StepProgress {
  phase: StepPhase;
  /** Absent in the loss, which takes all towers. */
  tower?: TowerName | undefined;
  /** From 0 to 1 within this phase of this tower; absent while the total is unknown. */
  fraction?: number | undefined;
  /** Rows of this tower done in this phase; in the loss, rows of queries. */
  rows: number;
  /**
   * From 0 to 1 within the whole step: time gone by, over this time and the time that is expected to come. Never
   * falls, and is 1 with the last chunk only. Absent while a tower is encoded whose number of rows is unknown.
   */
  overall?: number | undefined;
}

export interface StepContext {
  signal: AbortSignal | undefined;
  progress: Pick<ProgressReporter<StepProgress>, 'report' | 'throwIfFailed'>;
}

// the function itself: fake timers of test frameworks replace the property `setImmediate`, and never
// call back
const runAfterEvents = timers.setImmediate;

/**
 * Reports progress, lets other events run, and checks the signal. Call it while no chunk is in flight: an
 * unfinished chunk may own device memory that only its encoder frees. Encoders may never leave the microtask
 * queue, so timers and Ctrl-C run only here.
 */
export async function betweenChunks({ signal, progress }: StepContext, done: StepProgress): Promise<void> {
  progress.report(done);
  progress.throwIfFailed();
  await new Promise<void>((resolve) => runAfterEvents(resolve));
  // an async onProgress may have failed meanwhile
  progress.throwIfFailed();
  throwIfAborted(signal);
}

export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
