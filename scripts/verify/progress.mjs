/**
 * Which parts of a suite passed at which commit, in one small file a suite, so that an interrupted run goes on where it
 * stopped. Another commit, a changed file, another Node or another INFCL_ variable makes a part run again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the result of a part depends on, beside the commit. */
function conditions(part) {
  const env = { ...process.env, ...part.env };
  const ours = Object.keys(env).filter((name) => name.startsWith('INFCL_'));
  const values = ours.sort().map((name) => [name, env[name]]);
  const text = JSON.stringify([process.version, part.command, values]);
  return createHash('sha256').update(text).digest('hex');
}

export class Progress {
  #file;
  #commit;
  #passed = {};

  constructor(folder, suite, commit) {
    this.#file = join(folder, `${suite}.json`);
    this.#commit = commit;
    try {
      const { commit: before, passed } = JSON.parse(readFileSync(this.#file, 'utf8'));
      if (before === commit) this.#passed = passed;
    } catch {
      // no file, or half of one: every part runs
    }
  }

  /** `{ seconds, ended }` of a run that passed, or undefined. */
  find(part) {
    return this.#passed[`${part.name} ${conditions(part)}`];
  }

  keep(part, result) {
    this.#passed[`${part.name} ${conditions(part)}`] = { seconds: result.seconds, ended: result.ended };
    mkdirSync(join(this.#file, '..'), { recursive: true });
    // a rename is whole or not there, whenever the process ends
    writeFileSync(
      `${this.#file}.new`,
      JSON.stringify({ commit: this.#commit, passed: this.#passed }, null, 2),
    );
    renameSync(`${this.#file}.new`, this.#file);
  }

  forget() {
    this.#passed = {};
    rmSync(this.#file, { force: true });
  }
}
