/**
 * Steps with a common encoder take turns, in the order of their calls. Two steps at once would mix their
 * random states and their gradients. Steps with a common group of ranks take turns too: each rank then makes the calls
 * of the group in the same order.
 *
 * Refuses a step inside a callback of another step on the same encoder or group: each would wait for the other
 * for ever.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { codedError } from '../errors';
import { ProcessGroup } from '../group/process-group';
import { onAbort, throwIfAborted } from '../on-abort';

interface Turn {
  /** Encoders, and the group if there is one. */
  owned: ReadonlySet<object>;
  over: boolean;
  /** The turn of the step whose callback started this step. */
  outer: Turn | undefined;
}

/** For each encoder and group, a promise of the end of its last step and of all steps before. */
const lastTurns = new WeakMap<object, Promise<void>>();
const currentTurn = new AsyncLocalStorage<Turn>();

/**
 * Runs `work` after every earlier step that owns one of these encoders or the group. All are reserved at once and in
 * the order of calls, so that no two steps can wait for each other.
 *
 * Rejects with `signal.reason` as soon as `signal` aborts while the step waits. Throws ERR_ENCODER for a
 * nested step.
 *
 * @param pass Called in place of `work`, when its turn has come, for a step that was aborted while it waited.
 */
export async function inTurn<T>(
  owned: readonly object[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  pass: (error: unknown) => void = () => {},
): Promise<T> {
  let outer = currentTurn.getStore();
  while (outer?.over) outer = outer.outer;
  const turn: Turn = { owned: new Set(owned), over: false, outer };
  refuseNested(turn);
  const before = Promise.all([...turn.owned].map((one) => lastTurns.get(one)));
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // a step that stops waiting must not let later steps pass earlier ones
  const allEnded = Promise.all([before, ended]).then(() => {});
  for (const one of turn.owned) lastTurns.set(one, allEnded);
  try {
    await settledOrAborted(before, signal);
  } catch (error) {
    turn.over = true;
    void before.then(() => pass(error)).finally(end);
    throw error;
  }
  try {
    return await currentTurn.run(turn, work);
  } finally {
    turn.over = true;
    end();
  }
}

function refuseNested(turn: Turn): void {
  for (let outer = turn.outer; outer !== undefined; outer = outer.outer) {
    const common = [...turn.owned].find((one) => outer.owned.has(one));
    if (outer.over || common === undefined) continue;
    const what = common instanceof ProcessGroup ? 'a group' : 'an encoder';
    throw codedError(
      'ERR_ENCODER',
      `Expected ${what} of its own for a step inside a callback of another step but received one that the other ` +
        'step is using: start the step after the other one has settled',
    );
  }
}

async function settledOrAborted(before: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  let stopListening = () => {};
  const aborted = new Promise<void>((resolve) => {
    stopListening = onAbort(signal, resolve);
  });
  try {
    await Promise.race([before, aborted]);
  } finally {
    stopListening();
  }
  throwIfAborted(signal);
}
