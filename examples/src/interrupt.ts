/**
 * Ctrl-C: the first asks the run to stop (through an AbortSignal, so that checkpoints are written), the second ends
 * the process as the system would have. Refuses to catch anything else.
 */

export class Interrupted extends Error {
  constructor() {
    super('Stopped by Ctrl-C');
    this.name = 'AbortError';
  }
}

export const interruptedExitCode = 130;

/** The signal of this process's first SIGINT. Its reason is an {@link Interrupted}. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    // no listener is left: the next SIGINT kills
    controller.abort(new Interrupted());
  });
  return controller.signal;
}
