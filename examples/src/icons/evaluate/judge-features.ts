/**
 * Judges features of icons and captions with `infcl/evaluation`: zero-shot classification, and search by caption.
 * Refuses to know which model made the features.
 */

import { ranks, retrievalMetrics, zeroShotAccuracy } from 'infcl/evaluation';
import { type Features, someRows } from './features.js';
import type { IconTask, SearchTask, ZeroShotTask } from './task.js';

export interface ZeroShotScore {
  classes: number;
  icons: number;
  top1: number;
  top5: number;
}

export interface SearchScore {
  queries: number;
  /** Among so many icons. */
  icons: number;
  /** Share of captions with a right icon in first place, and among the first ten. */
  at1: number;
  at10: number;
}

export interface Scores {
  zeroShot: ZeroShotScore[];
  /** Missing for baselines that know no new captions. */
  seen?: SearchScore;
  fresh?: SearchScore;
}

/** @param images Features of the unseen set. @param texts Features of the task's captions. */
export async function judgeFeatures(
  task: IconTask,
  images: Features,
  texts: Features,
  signal?: AbortSignal,
): Promise<Scores> {
  const zeroShot: ZeroShotScore[] = [];
  for (const part of task.zeroShot) zeroShot.push(await judgeZeroShot(part, images, texts, signal));
  return {
    zeroShot,
    seen: await judgeSearch(task.seen, images, texts, signal),
    fresh: await judgeSearch(task.fresh, images, texts, signal),
  };
}

export async function judgeZeroShot(
  { classes, icons, labels }: ZeroShotTask,
  images: Features,
  texts: Features,
  signal?: AbortSignal,
): Promise<ZeroShotScore> {
  const rows = Int32Array.from({ length: classes }, (_, i) => i);
  const { top1, top5 } = await zeroShotAccuracy(someRows(images, icons), someRows(texts, rows), labels, {
    signal,
  });
  return { classes, icons: icons.length, top1, top5 };
}

async function judgeSearch(
  { queries, positives }: SearchTask,
  images: Features,
  texts: Features,
  signal?: AbortSignal,
): Promise<SearchScore | undefined> {
  if (queries.length === 0) return undefined;
  const found = await ranks(someRows(texts, queries), images, { positives, signal });
  const { accuracyAt } = retrievalMetrics(found, { at: [1, 10] });
  return { queries: queries.length, icons: images.shape[0], at1: accuracyAt[1]!, at10: accuracyAt[10]! };
}
