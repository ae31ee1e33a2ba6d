/** What a finished run of the detection demo amounts to: whether it failed, and the lines that say so. */

import { percent } from '../terminal.js';
import type { DetectionResults } from './results.js';

/** A quick run must reach this mAP50 in the unseen style; an untrained model has less than 1 %. */
const quickPrecision = 0.1;

export interface DetectionVerdict {
  failed: boolean;
  lines: string[];
}

export function judgeDetection({
  history: { diverged },
  judged,
  config,
}: Pick<DetectionResults, 'history' | 'judged' | 'config'>): DetectionVerdict {
  if (diverged !== undefined) {
    const what = `Training diverged at step ${diverged.step}: ${diverged.what}. Try another --seed or --batch`;
    return { failed: true, lines: [what] };
  }
  const trained = judged.find(({ kind }) => kind === 'trained')?.scores;
  if (config.mode !== 'quick') return { failed: false, lines: [] };
  const reached = trained?.map ?? 0;
  const passed = reached >= quickPrecision;
  const line = `Quick check ${passed ? 'passed' : 'FAILED'}: mAP50 ${percent(reached)}, needed ${percent(quickPrecision)}`;
  return { failed: !passed, lines: [line] };
}
