/**
 * One case: its random numbers, its memory, its calls and what is found wrong with them. Starts calls and
 * judges their outcomes.
 *
 * Refuses to choose what a case does: the files of kinds-*.mjs do.
 */

import { Arena } from './arena.mjs';
import { OwnValues } from './own.mjs';
import { makeProblem } from './problems.mjs';
import { Random } from './random.mjs';
import { differences, judgeError, judgeResult } from './verdict.mjs';

/** Codes of arguments, which are refused before any work: quickly, whatever they are. */
const argumentCodes = new Set(['ERR_TYPE', 'ERR_VALUE', 'ERR_DTYPE', 'ERR_SHAPE', 'ERR_OPTION']);
const longestRefusal = 1.5e6; // microseconds of processor time, on a machine with other work

export class Case {
  complaints = [];
  /** How often calls ended how; summed up over all cases. */
  tally = {};
  /** The actions of the case, in words: printed when an error is found. */
  notes = [];
  /** Memory is not looked at where the case itself wrote to its inputs. */
  memoryMayChange = false;
  #pending = [];
  #inFlight = 0;

  constructor(api, seed, number) {
    this.api = api;
    this.seed = seed;
    this.number = number;
    this.random = new Random(seed, number);
    this.arena = new Arena(this.random);
    this.own = new OwnValues(this.random);
  }

  complain(text) {
    this.complaints.push(text);
  }

  count(name, by = 1) {
    this.tally[name] = (this.tally[name] ?? 0) + by;
  }

  /** A problem that can be made again, as the `index`-th of this case, on memory of its own. */
  problem(index, arena = this.arena) {
    return makeProblem(new Random(this.seed, this.number, index + 1), arena);
  }

  /** A problem to take parts from, on memory that is not looked at. */
  spare() {
    return this.problem(99, new Arena(new Random(this.seed, this.number, 99)));
  }

  /** Runs `act` at a random moment of the next milliseconds. The case ends after that. */
  soon = (act) => {
    const wait = this.random.weighted([
      [1, () => Promise.resolve()],
      [1, () => new Promise((resolve) => setImmediate(resolve))],
      [3, (ms = this.random.integer(0, 8)) => new Promise((resolve) => setTimeout(resolve, ms))],
    ]);
    this.#pending.push(wait().then(() => this.guarded(act)));
  };

  /** The harness's own code: it may throw only the caller's own values. */
  guarded(act) {
    try {
      return act();
    } catch (error) {
      const { complaint } = judgeError(error, this.own);
      if (complaint) this.complain(complaint);
    }
  }

  /** Until nothing that `soon` planned is left. */
  async quiet() {
    while (this.#pending.length > 0) await this.#pending.pop();
  }

  /** Starts one call; a promise of `{ value }` or `{ error }`. A blocking call has ended when this returns. */
  start(name, args) {
    this.count('calls');
    const alone = this.#inFlight === 0;
    const before = process.cpuUsage();
    let returned;
    try {
      returned = this.api[name](...args);
    } catch (error) {
      if (!isBlocking(name)) this.complain(`${name} threw instead of rejecting`);
      return Promise.resolve({ error, quick: alone ? process.cpuUsage(before).user : 0 });
    }
    const used = alone ? process.cpuUsage(before).user : 0;
    if (isBlocking(name)) return Promise.resolve({ value: returned });
    this.#inFlight++;
    return returned
      .then(
        (value) => ({ value }),
        (error) => ({ error, quick: used }),
      )
      .finally(() => this.#inFlight--);
  }

  /**
   * Counts an outcome and complains of an error without a code. Returns what the error is: a code, 'own' or
   * 'reason'; undefined where the call was fulfilled.
   */
  judge({ error, value, quick = 0 }) {
    if (value !== undefined) {
      this.count('fulfilled');
      return undefined;
    }
    const { kind, complaint } = judgeError(error, this.own);
    this.count(kind);
    if (complaint) this.complain(complaint);
    if (argumentCodes.has(kind) && quick > longestRefusal) this.complain(`${kind} after ${quick / 1e6} s`);
    return kind;
  }

  /** Judges a call of a loss function, whose problem may have been changed. */
  judgeLoss(outcome, problem, { mutated = false, allowed = [], numbers = true } = {}) {
    const kind = this.judge(outcome);
    if (kind === undefined) {
      if (numbers)
        for (const complaint of judgeResult(outcome.value, problem, mutated)) this.complain(complaint);
    } else if (!mutated && !allowed.includes(kind)) {
      const { error } = outcome;
      this.complain(`a valid call was refused: ${kind} ${String(error?.message).slice(0, 300)}`);
    }
  }

  /** The same call again, alone and on other memory: equal bits. */
  compareAlone(result, index, { gradient, tame }) {
    const random = new Random(this.seed, this.number, index + 1, 1);
    const { queries, keys, options } = this.problem(index, new Arena(random));
    const { out, signal, onProgress, ...rest } = options;
    if (rest.workspaceBytes === undefined && random.chance(0.5)) rest.threads = random.integer(1, 4);
    // gradients beyond float32 are a reason to refuse the call with gradient alone
    const again = random.chance(0.7) ? gradient || tame : false;
    const name = again ? 'contrastiveLossAndGradSync' : 'contrastiveLossSync';
    const different = differences(this.api[name](queries, keys, rest), result);
    if (different.length > 0) this.complain(`not the bits of the same call alone: ${different.join(', ')}`);
    this.count('repeated alone');
  }

  async end() {
    await this.quiet();
    if (this.memoryMayChange) return;
    for (const complaint of this.arena.complaints()) this.complain(complaint);
  }
}

export function isBlocking(name) {
  return !/^(contrastiveLoss|contrastiveLossAndGrad|chunkedStep|fromHost)$/.test(name);
}
