/**
 * The numbers of a run of the icon demo, from the flags and the data. Refuses a batch larger than the training
 * icons.
 */

import { UsageError } from '../errors.js';
import type { IconFlags } from './cli.js';
import { quickSets, setRules, unseenSet } from './data/sets.js';
import { imageFeatures, type Shift } from './features/hog.js';

export interface IconSettings {
  batch: number;
  epochs: number;
  steps: number;
  seed: number;
  learningRate: number;
  warmUp: number;
  dropout: number;
  shifts: readonly Shift[];
  /**
   * Whether CCA runs: it takes longer than the training of a quick run, and its ridges are not meant for fewer
   * icons than features.
   */
  cca: boolean;
}

/**
 * Peak rate of Adam for the image tower. This and what follows was chosen with hugeicons as the unseen set, and
 * without tabler.
 */
const learningRate = 0.002;
const shifts: readonly Shift[] = [
  [0, 0],
  [1, 0],
  [-1, 1],
];
const defaultEpochs = 20;
const quickEpochs = 3;

/** Names of the sets to train on. The set that the figures are about is never trained on, whichever set is tested. */
export function trainingSets({ quick, unseen }: Pick<IconFlags, 'quick' | 'unseen'>): string[] {
  const names = quick ? quickSets : setRules.map(({ name }) => name);
  return names.filter((name) => name !== unseen && name !== unseenSet);
}

/** At least four steps an epoch, which matters for a few pictures of one's own. */
function defaultBatch({ quick }: IconFlags, icons: number): number {
  return Math.min(quick ? 512 : 1024, Math.max(2, 2 ** Math.floor(Math.log2(icons / 4))));
}

/** @param icons Number of training icons. */
export function iconSettings(flags: IconFlags, icons: number): IconSettings {
  const batch = flags.batch ?? defaultBatch(flags, icons);
  if (batch > icons) {
    throw new UsageError(
      `Expected at most ${icons}, the number of training icons, for --batch but received ${batch}`,
    );
  }
  const epochs = flags.epochs ?? (flags.quick ? quickEpochs : defaultEpochs);
  return {
    batch,
    epochs,
    steps: epochs * Math.floor(icons / batch),
    seed: flags.seed,
    learningRate,
    warmUp: 0.1,
    dropout: 0.3,
    shifts,
    cca: !flags.quick && icons > imageFeatures,
  };
}
