/**
 * The plainest answer to "what does this icon show?": the caption of the training icon that looks most alike. No
 * text is understood, so nothing can be said about new captions. Refuses to train anything.
 */

import { topK } from 'infcl/evaluation';
import { type Features, someRows } from '../evaluate/features.js';
import type { Scores, ZeroShotScore } from '../evaluate/judge-features.js';
import type { IconTask } from '../evaluate/task.js';

export interface NeighbourData {
  /** Training icons whose captions are classes; the dot product says how alike two are. */
  train: Features;
  /** Rows of the unseen set. */
  unseen: Features;
  /** The class of each row of `train`: a row of the task's captions. */
  classOf: Int32Array;
}

const answers = 5;

/** The five nearest captions of each icon: a caption counts once, by its nearest icon. */
export async function judgeNeighbours(
  { zeroShot }: IconTask,
  { train, unseen, classOf }: NeighbourData,
  signal?: AbortSignal,
): Promise<Scores> {
  const scores: ZeroShotScore[] = [];
  for (const { classes, icons, labels } of zeroShot) {
    const rows = Int32Array.from(classOf.keys()).filter((row) => classOf[row]! < classes);
    const keyIds = rows.map((row) => classOf[row]!);
    const k = Math.min(answers, rows.length);
    const { indices } = await topK(someRows(unseen, icons), someRows(train, rows), k, { keyIds, signal });
    let [first, five] = [0, 0];
    labels.forEach((label, i) => {
      const own = indices.subarray(i * k, (i + 1) * k);
      const found = own.findIndex((key) => key >= 0 && keyIds[key] === label);
      if (found === 0) first++;
      if (found >= 0) five++;
    });
    scores.push({ classes, icons: icons.length, top1: first / labels.length, top5: five / labels.length });
  }
  return { zeroShot: scores };
}
