/**
 * The finished trainings of a sweep in one JSON file, written anew after each, so that an hour's chart can be made in
 * pieces. Refuses to mix sweeps of different settings.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Checkpoint, CheckpointError, checkSameConfig } from '../train/checkpoint.js';
import type { SweepRun } from './sweep.js';

export class SweepLog {
  readonly #path: string;
  readonly #config: Checkpoint['config'];
  readonly #runs: SweepRun[] = [];

  /** With `resume`, begins with the runs in the file, if there is one. Throws {@link CheckpointError}. */
  constructor(path: string, config: Checkpoint['config'], resume: boolean) {
    this.#path = path;
    this.#config = config;
    if (!resume || !existsSync(path)) return;
    const found = parse(path);
    checkSameConfig(path, found.config, config);
    this.#runs = found.runs;
  }

  find({ panel, batch, seed }: Pick<SweepRun, 'panel' | 'batch' | 'seed'>): SweepRun | undefined {
    return this.#runs.find((run) => run.panel === panel && run.batch === batch && run.seed === seed);
  }

  add(run: SweepRun): void {
    this.#runs.push(run);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify({ config: this.#config, runs: this.#runs }, null, 2)}\n`);
    renameSync(temporary, this.#path);
  }
}

function parse(path: string): { config: Checkpoint['config']; runs: SweepRun[] } {
  try {
    const { config, runs } = JSON.parse(readFileSync(path, 'utf8')) ?? {};
    if (typeof config === 'object' && config !== null && Array.isArray(runs)) return { config, runs };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CheckpointError(
    `Expected the finished runs of a sweep in ${path} but received another kind of file`,
  );
}
