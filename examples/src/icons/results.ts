/** All numbers of a run of the icon demo, as they go into report.json and the report. Types only. */

import type { Results } from '../results.js';
import type { History } from '../train/loop.js';
import type { Scores } from './evaluate/judge-features.js';
import type { FeatureShape } from './evaluate/shape.js';

/** One line of the report's table. */
export interface Judged {
  name: string;
  /** Which line it is, for whoever reads report.json. */
  kind: 'untrained' | 'pixels' | 'features' | 'cca' | 'trained' | 'page';
  scores: Scores;
  /** Of the towers, before and after training. */
  shape?: FeatureShape;
}

export interface IconResults {
  data: {
    unseen: string;
    unseenIcons: number;
    trainIcons: number;
    captions: number;
    seenCaptions: number;
    freshCaptions: number;
    /** Training icons left out because an unseen one looks alike. */
    copies: number;
    sets: { title: string; version: string; licence: string; icons: number }[];
  };
  config: {
    batch: number;
    steps: number;
    epochs: number;
    seed: number;
    learningRate: number;
    warmUp: number;
    dropout: number;
    mode: 'default' | 'quick';
  };
  machine: Results['machine'];
  judged: Judged[];
  /** The curve holds top-1 accuracy among the classes of {@link curveClasses}. */
  history: History;
  curveClasses: number;
  /** Missing while the run trains. */
  page?: { icons: number; bytes: number };
  seconds: Results['seconds'];
  peakBytes: number;
  /** Whether the run is still training. */
  running: boolean;
}
