/** All numbers of a run of the detection demo, as they go into report.json and the report. Types only. */

import type { Results } from '../results.js';
import type { History } from '../train/loop.js';
import type { DetectionScores } from './evaluate/judge.js';
import type { RegionShape } from './evaluate/shape.js';

/** One line of the report's table. */
export interface JudgedDetector {
  name: string;
  /** Which line it is, for whoever reads report.json. */
  kind: 'neighbour' | 'trained' | 'seen';
  scores: DetectionScores;
}

export interface StyleNotice {
  title: string;
  author: string;
  licence: string;
  version: string;
  drawings: number;
  unseen: boolean;
}

export interface DetectionResults {
  data: {
    concepts: number;
    novel: number;
    trainScenes: number;
    /** Regions of scenes and captioned pictures, and hard negatives beside them. */
    regions: number;
    hardRegions: number;
    styles: StyleNotice[];
  };
  config: {
    batch: number;
    epochs: number;
    hardEpochs: number;
    /** Steps of both phases. */
    steps: number;
    /** Steps before the hard negatives. */
    firstSteps: number;
    seed: number;
    learningRate: number;
    warmUp: number;
    dropout: number;
    mode: 'default' | 'quick';
  };
  machine: Results['machine'];
  judged: JudgedDetector[];
  /** Before and after training. */
  shapes: { name: string; shape: RegionShape }[];
  /**
   * Of both phases. The curve holds how often a thing's best window gets its own name, in the unseen style.
   */
  history: History;
  /** Missing while the run trains. */
  page?: { scenes: number; bytes: number };
  seconds: Results['seconds'];
  peakBytes: number;
  /** Whether the run is still training. */
  running: boolean;
}
