/**
 * The finished trainings of a sweep in one JSON file, written anew after each, so that an hour's chart can be made in
 * pieces. Refuses to mix sweeps of different settings, and runs that no sweep could have made.
 */

import { existsSync } from 'node:fs';
import type { SweepRun } from '../measure/sweep.js';
import { Fields } from './fields.js';
import { checkSameSettings, type RunSettings } from './same-settings.js';
import { readSealed, type SealedFile, writeSealed } from './sealed-file.js';

/** The largest number of a flag. */
const largest = 2 ** 31 - 1;

export class SweepLog {
  readonly #file: SealedFile;
  readonly #config: RunSettings;
  readonly #runs: SweepRun[] = [];

  /** With `resume`, begins with the runs in the file, if there is one. Throws CheckpointError for a damaged one. */
  constructor(path: string, config: RunSettings, resume: boolean) {
    this.#file = {
      path,
      what: 'the finished runs of a sweep',
      // the checksum is the first field of the JSON, so that the file stays JSON
      prefix: '{"sha256": "',
      remedy: `delete ${path} to make its runs again`,
    };
    this.#config = config;
    if (resume && existsSync(path)) this.#runs = this.#read();
  }

  find({ panel, batch, seed }: Pick<SweepRun, 'panel' | 'batch' | 'seed'>): SweepRun | undefined {
    return this.#runs.find((run) => run.panel === panel && run.batch === batch && run.seed === seed);
  }

  /** Throws OutputError. */
  add(run: SweepRun): void {
    this.#runs.push(run);
    const text = JSON.stringify({ config: this.#config, runs: this.#runs }, null, 2);
    writeSealed(this.#file, [Buffer.from(`",${text.slice(1)}\n`)]);
  }

  #read(): SweepRun[] {
    const rest = readSealed(this.#file).toString('utf8');
    const content = Fields.parse(this.#file, `${this.#file.prefix}${rest}`);
    content.named(['sha256', 'config', 'runs']);
    checkSameSettings(this.#file, content.fields('config').settings(), this.#config);
    const runs: SweepRun[] = [];
    for (const fields of content.items('runs')) {
      const run = readRun(fields);
      const twice = runs.some(({ panel, batch, seed }) => {
        return panel === run.panel && batch === run.batch && seed === run.seed;
      });
      if (twice) throw fields.refuse('batch', 'each panel, batch and seed once');
      runs.push(run);
    }
    return runs;
  }
}

function readRun(fields: Fields): SweepRun {
  fields.named(['panel', 'batch', 'seed', 'steps', 'pairs', 'seconds', 'recallAt1'], ['divergedAt']);
  const batch = fields.whole('batch', 1, largest);
  const steps = fields.whole('steps', 1, largest);
  const run: SweepRun = {
    panel: fields.oneOf('panel', ['pairs', 'time']),
    batch,
    seed: fields.whole('seed', 0, 2 * largest),
    steps,
    pairs: fields.whole('pairs', steps * batch, steps * batch),
    seconds: fields.number('seconds', 1e-9),
    recallAt1: fields.number('recallAt1', 0, 1),
  };
  if (fields.has('divergedAt')) run.divergedAt = fields.whole('divergedAt', 1, steps);
  return run;
}
