/**
 * Steps with a common encoder take turns, in the order of their calls. Two steps at once would mix their
 * random states and their gradients.
 *
 * Refuses a step inside a callback of another step on the same encoder: each would wait for the other
 * for ever.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { codedError } from '../errors';
import { onAbort, throwIfAborted } from '../on-abort';

interface Turn {
  encoders: ReadonlySet<object>;
  over: boolean;
  /** The turn of the step whose callback started this step. */
  outer: Turn | undefined;
}

/** For each encoder, a promise of the end of its last step and of all steps before. */
const lastTurns = new WeakMap<object, Promise<void>>();
const currentTurn = new AsyncLocalStorage<Turn>();

/**
 * Runs `work` after every earlier step on one of these encoders. All encoders are reserved at once and in the
 * order of calls, so that no two steps can wait for each other.
 *
 * Rejects with `signal.reason` as soon as `signal` aborts while the step waits. Throws ERR_ENCODER for a
 * nested step.
 */
export async function inTurn<T>(
  encoders: readonly object[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  let outer = currentTurn.getStore();
  while (outer?.over) outer = outer.outer;
  const turn: Turn = { encoders: new Set(encoders), over: false, outer };
  refuseNested(turn);
  const before = Promise.all([...turn.encoders].map((encoder) => lastTurns.get(encoder)));
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // a step that stops waiting must not let later steps pass earlier ones
  const allEnded = Promise.all([before, ended]).then(() => {});
  for (const encoder of turn.encoders) lastTurns.set(encoder, allEnded);
  try {
    await settledOrAborted(before, signal);
    return await currentTurn.run(turn, work);
  } finally {
    turn.over = true;
    end();
  }
}

function refuseNested(turn: Turn): void {
  for (let outer = turn.outer; outer !== undefined; outer = outer.outer) {
    if (outer.over || ![...turn.encoders].some((encoder) => outer.encoders.has(encoder))) continue;
    throw codedError(
      'ERR_ENCODER',
      'Expected an encoder of its own for a step inside a callback of another step but received one that the other ' +
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
