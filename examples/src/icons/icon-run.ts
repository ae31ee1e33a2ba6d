/** What the phases of one run of the icon demo share. Refuses to know what the phases do. */

import type { History } from '../train/loop.js';
import type { IconFlags } from './cli.js';
import type { Prepared } from './prepare.js';
import type { IconResults, Judged } from './results.js';
import type { IconSettings } from './settings.js';

export interface IconRun {
  flags: IconFlags;
  settings: IconSettings;
  prepared: Prepared;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  seconds: IconResults['seconds'];
  judged: Judged[];
  history: History;
  page?: IconResults['page'];
  /** The step whose state the checkpoint holds, once it holds one of this run. */
  savedStep?: number;
}

/** Runs one phase, and notes how long it took. */
export async function timedPhase<T>(
  seconds: IconRun['seconds'],
  phase: string,
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const result = await work();
  const taken = (performance.now() - began) / 1000;
  seconds.push({ phase, seconds: taken });
  console.log(`${phase}: ${taken.toFixed(1)} s`);
  return result;
}
