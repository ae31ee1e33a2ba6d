/**
 * The finished trainings of a comparison of settings, in a JSON file to be committed. Refuses to mix comparisons of
 * different data, and numbers that no training could have given.
 */

import { existsSync } from 'node:fs';
import { writeAtomically } from '../../saved/atomic-file.js';
import { Fields } from '../../saved/fields.js';
import { readRegularFile } from '../../saved/regular-file.js';
import { checkSameSettings, type RunSettings } from '../../saved/same-settings.js';
import type { SealedFile } from '../../saved/sealed-file.js';
import type { SweepRecord } from './plan.js';

const largest = 2 ** 31 - 1;

/**
 * The runs in the file; none where there is no file. Throws CheckpointError for a file of other settings or another
 * form.
 */
export function readSweep(path: string, settings: RunSettings): SweepRecord[] {
  if (!existsSync(path)) return [];
  const what = 'a comparison of settings';
  const file: SealedFile = { path, what, prefix: '', remedy: `delete ${path} to begin again` };
  const content = Fields.parse(file, readRegularFile(path, what).toString('utf8'));
  content.named(['settings', 'machine', 'runs']);
  checkSameSettings(file, content.fields('settings').settings(), settings);
  return content.items('runs').map(readRecord);
}

/** Throws OutputError. */
export function writeSweep(
  path: string,
  content: { settings: RunSettings; machine: object; runs: readonly SweepRecord[] },
): void {
  writeAtomically(path, [`${JSON.stringify(content, null, 2)}\n`]);
}

function readRecord(fields: Fields): SweepRecord {
  const names = [
    'round',
    'batch',
    'learningRate',
    'steps',
    'seed',
    'dropout',
    'shifts',
    'seconds',
    'top1',
    'at1',
  ];
  fields.named(names, ['divergedAt']);
  const steps = fields.whole('steps', 1, largest);
  const record: SweepRecord = {
    round: fields.oneOf('round', ['rates', 'pairs', 'time', 'augmentation']),
    batch: fields.whole('batch', 1, largest),
    learningRate: fields.number('learningRate', 0),
    steps,
    seed: fields.whole('seed', 0, 2 * largest),
    dropout: fields.number('dropout', 0, 1),
    shifts: fields.whole('shifts', 1, 9),
    seconds: fields.number('seconds', 0),
    top1: fields.number('top1', 0, 1),
    at1: fields.number('at1', 0, 1),
  };
  if (fields.has('divergedAt')) record.divergedAt = fields.whole('divergedAt', 1, steps);
  return record;
}
