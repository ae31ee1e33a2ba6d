/** What the phases of one run of the demo share. Refuses to know what the phases do. */

import type { ProcessGroup } from 'infcl/distributed';
import type { Flags } from './cli.js';
import type { Dataset } from './features/dataset.js';
import type { Results } from './results.js';
import type { SweepLog } from './saved/sweep-log.js';
import type { Settings } from './settings.js';

export interface Run {
  flags: Flags;
  dataset: Dataset;
  settings: Settings;
  /** The ranks that train together. One of them prints, saves and measures. */
  group?: ProcessGroup;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  seconds: Results['seconds'];
  /** Where settings have a sweep. */
  sweepLog?: SweepLog;
  /** The step whose state the checkpoint holds, once it holds one of this run. */
  savedStep?: number;
}

/** Whether this process prints, saves and measures: rank 0, or the only process. */
export const isFirst = ({ group }: { group?: ProcessGroup }): boolean => (group?.rank ?? 0) === 0;

/** Runs one phase and notes how long it took. */
export async function timed<T>(run: Run, phase: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  run.seconds.push({ phase, seconds });
  if (isFirst(run)) console.log(`${phase}: ${seconds.toFixed(1)} s`);
  return result;
}
