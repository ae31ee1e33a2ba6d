/** The numbers of a run of the detection demo, from the flags. Refuses to look at the data. */

import type { DetectionFlags } from './cli.js';

export interface DetectionSettings {
  /** Training scenes of the first phase. */
  scenes: number;
  /** Variations of each captioned picture. */
  variations: number;
  batch: number;
  epochs: number;
  /** New scenes to look for hard negatives in. */
  hardScenes: number;
  hardEpochs: number;
  seed: number;
  learningRate: number;
  hardLearningRate: number;
  warmUp: number;
  dropout: number;
  /** Scenes of the unseen style for the test, and others for the learning curve. */
  tests: number;
  validations: number;
  /** Scenes of the trained styles, to tell what the new style costs; 0 leaves them out. */
  seenTests: number;
}

/** Peak rate of Adam for the image tower. */
const learningRate = 0.001;
/** Rate of the second phase beside that of the first. */
const hardRate = 0.7;
/** Epochs of the second phase for each of the first. */
const hardShare = 5 / 8;

const whole = {
  scenes: 1500,
  variations: 6,
  batch: 2048,
  epochs: 8,
  hardScenes: 500,
  tests: 500,
  validations: 100,
  seenTests: 100,
};
const quick: typeof whole = {
  scenes: 200,
  variations: 2,
  batch: 512,
  epochs: 3,
  hardScenes: 20,
  tests: 40,
  validations: 20,
  seenTests: 0,
};

export function detectionSettings(flags: DetectionFlags): DetectionSettings {
  const numbers = flags.quick ? quick : whole;
  const epochs = flags.epochs ?? numbers.epochs;
  return {
    ...numbers,
    batch: flags.batch ?? numbers.batch,
    epochs,
    hardEpochs: Math.max(1, Math.round(hardShare * epochs)),
    seed: flags.seed,
    learningRate,
    hardLearningRate: hardRate * learningRate,
    warmUp: 0.1,
    dropout: 0.1,
  };
}
