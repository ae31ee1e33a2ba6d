/**
 * What a finished run amounts to: whether it failed, and the lines that say so. Refuses to let a run pass of which any
 * part diverged, however good its figures look.
 */

import type { Results } from './results.js';
import { percent } from './terminal.js';

/** A quick run on the dictionary must reach this recall@1, ten thousand times chance. */
const quickRecall = 0.1;

export interface Verdict {
  failed: boolean;
  lines: string[];
}

/** @param dictionary Whether the run was on the demo's own data: on a user's pairs a quick run need only beat chance. */
export function judge(results: Results, dictionary: boolean): Verdict {
  const lines = divergences(results);
  const diverged = lines.length > 0;
  if (results.config.mode !== 'quick') return { failed: diverged, lines };
  const { model, untrained, data } = results;
  const chance = 1 / data.candidates;
  const needed = dictionary ? quickRecall : 2 * chance;
  const passed = !diverged && model.recallAt1 >= needed && model.recallAt1 > untrained.recallAt1;
  lines.push(
    `Quick check ${passed ? 'passed' : 'FAILED'}: recall@1 ${percent(model.recallAt1)}, needed ${percent(needed)} ` +
      `and more than the untrained ${percent(untrained.recallAt1)} (chance ${(100 * chance).toFixed(4)} %)`,
  );
  return { failed: !passed, lines };
}

function divergences({ history: { diverged }, sweep }: Results): string[] {
  const lines: string[] = [];
  if (diverged) {
    lines.push(
      `Training diverged at step ${diverged.step}: ${diverged.what}. Its figures are those of a failed run: try another ` +
        '--seed or a larger --batch, and look for odd lines in your data',
    );
  }
  for (const { panel, batch, seed, divergedAt } of sweep?.runs ?? []) {
    if (divergedAt === undefined) continue;
    lines.push(
      `In the chart over batch sizes, training at equal ${panel}, batch ${batch}, seed ${seed} diverged at step ${divergedAt}`,
    );
  }
  return lines;
}
