/**
 * From drawings to what training needs: regions of scenes, captioned pictures, centring, and windows for the
 * learning curve. Refuses to hold anything that depends on a model.
 */

import { UsageError } from '../errors.js';
import type { Emoji } from './data/emoji.js';
import type { DetectionRun } from './detection-run.js';
import { bestWindows } from './evaluate/named-windows.js';
import { testRandom, testStreams } from './evaluate/test-scenes.js';
import { centringOf, joinRows } from './features/region-rows.js';
import { trainingSource, unseenSource } from './scenes/scene.js';
import type { DetectionSettings } from './settings.js';
import { captionedPictures } from './train/captioned-pictures.js';
import { sceneRegions } from './train/scene-regions.js';
import { stepsOf } from './train/train-phase.js';

type PreparedRegions = Pick<DetectionRun, 'regions' | 'centring' | 'validation' | 'firstSteps'>;

/** Throws UsageError for a batch larger than the regions. */
export async function prepareRegions(emoji: Emoji, settings: DetectionSettings): Promise<PreparedRegions> {
  const { seed, scenes, variations, validations, batch, epochs } = settings;
  const nothing = emoji.concepts.length;
  const ofScenes = await sceneRegions(trainingSource(emoji), scenes, { seed, nothing });
  const regions = joinRows(ofScenes, await captionedPictures(emoji, variations, { seed }));
  if (batch > regions.rows) {
    throw new UsageError(
      `Expected at most ${regions.rows}, the number of training regions, for --batch but received ${batch}`,
    );
  }
  return {
    regions,
    centring: centringOf(regions),
    validation: bestWindows(unseenSource(emoji), validations, testRandom(testStreams.validation)),
    firstSteps: stepsOf(regions.rows, batch, epochs),
  };
}
