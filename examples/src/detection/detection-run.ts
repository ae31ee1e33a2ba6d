/** What the phases of one run of the detection demo share. Refuses to know what the phases do. */

import type { History } from '../train/loop.js';
import type { DetectionFlags } from './cli.js';
import type { Emoji } from './data/emoji.js';
import type { Centring, RegionRows } from './features/region-rows.js';
import type { DetectionResults } from './results.js';
import type { DetectionSettings } from './settings.js';

export interface DetectionRun {
  flags: DetectionFlags;
  settings: DetectionSettings;
  emoji: Emoji;
  /** Regions of the first phase: those of scenes and captioned pictures. */
  regions: RegionRows;
  centring: Centring;
  /** Windows of things for the learning curve, in the unseen style. */
  validation: RegionRows;
  hardRegions: number;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  seconds: DetectionResults['seconds'];
  judged: DetectionResults['judged'];
  shapes: DetectionResults['shapes'];
  /** Of the phases so far. */
  history: History;
  firstSteps: number;
  hardSteps: number;
  page?: DetectionResults['page'];
  /** The step whose state a checkpoint holds, once one holds one of this run. */
  savedStep?: number;
}
