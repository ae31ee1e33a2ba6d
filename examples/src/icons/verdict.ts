/** What a finished run of the icon demo amounts to: whether it failed, and the lines that say so. */

import { percent } from '../terminal.js';
import type { IconResults } from './results.js';

/** A quick run must reach this top-1 accuracy among the hundred commonest captions, of which chance is 1 %. */
const quickAccuracy = 0.4;

export interface IconVerdict {
  failed: boolean;
  lines: string[];
}

export function judgeIcons({ history: { diverged }, judged, config }: IconResults): IconVerdict {
  if (diverged !== undefined) {
    const what = `Training diverged at step ${diverged.step}: ${diverged.what}. Try another --seed or --batch`;
    return { failed: true, lines: [what] };
  }
  if (config.mode !== 'quick') return { failed: false, lines: [] };
  const top1 = (kind: string) => judged.find((line) => line.kind === kind)?.scores.zeroShot[0]?.top1 ?? 0;
  const passed = top1('trained') >= quickAccuracy && top1('trained') > top1('untrained');
  const line =
    `Quick check ${passed ? 'passed' : 'FAILED'}: top-1 among the commonest captions ${percent(top1('trained'))}, ` +
    `needed ${percent(quickAccuracy)} and more than the untrained ${percent(top1('untrained'))}`;
  return { failed: !passed, lines: [line] };
}
