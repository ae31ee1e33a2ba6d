/**
 * Test scenes and what a model finds in them. The scenes are the same in each run, whatever its seed. Keeps
 * the pictures of the first ones, for the page.
 */

import { Random } from '../../random.js';
import { type Detection, detect } from '../detect/detect.js';
import type { RegionScorer } from '../detect/region-scorer.js';
import { blank, type Picture } from '../scenes/picture.js';
import { SceneMaker, type SceneSource, type Thing } from '../scenes/scene.js';

/** Seeds of scenes that no training sees. */
const testSeed = 99;
export const testStreams = { test: 30, validation: 31, seen: 32 };

export interface TestedScene {
  /** Empty beyond the pictures that are kept. */
  picture: Picture;
  things: readonly Thing[];
  found: Detection[];
}

export const testRandom = (stream: number): Random => Random.stream(testSeed, stream);

export interface SceneTest {
  source: SceneSource;
  scenes: number;
  stream: number;
  /** How many pictures to keep. */
  keep: number;
  signal?: AbortSignal;
  onScene?: (done: number) => void;
}

export async function testScenes(scorer: RegionScorer, test: SceneTest): Promise<TestedScene[]> {
  const { source, scenes, stream, keep, signal, onScene } = test;
  const maker = new SceneMaker(source, testRandom(stream));
  const tested: TestedScene[] = [];
  for (let i = 0; i < scenes; i++) {
    const { picture, things } = maker.next();
    const found = await detect(scorer, picture, signal);
    tested.push({ picture: i < keep ? picture : blank(0, 0), things, found });
    onScene?.(i + 1);
  }
  return tested;
}
