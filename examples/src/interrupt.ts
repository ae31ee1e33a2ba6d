/**
 * Ctrl-C: the first asks the run to stop (through an AbortSignal, so that checkpoints are written), the second ends
 * the process as the system would have. Refuses to catch anything else.
 */

export class Interrupted extends Error {
  /**
   * @param saved The step that a resumed run goes on from, if there is one.
   * @param next What a person does now, as the end of a sentence.
   */
  constructor(saved?: number, next = nextAfter(saved)) {
    super(`Stopped by Ctrl-C: ${next}`);
    this.name = 'AbortError';
  }
}

function nextAfter(saved: number | undefined): string {
  if (saved === undefined) return 'nothing was saved yet, so start again';
  return `step ${saved} is saved, so go on with the same flags and --resume`;
}

export const interruptedExitCode = 130;

export interface Interruption {
  /** Aborts at this process's first SIGINT. Its reason is an {@link Interrupted}. */
  signal: AbortSignal;
  /** Leaves Ctrl-C to the system again. */
  stopListening(): void;
}

export function listenForInterrupt(): Interruption {
  const controller = new AbortController();
  const hear = () => {
    if (controller.signal.aborted) endAsTheSystemWould();
    controller.abort(new Interrupted());
    // Later ones kill without this listener, also where code holds the event loop. One that came together with the
    // first waits for its turn in this round of the loop, and would be lost if the listener went at once.
    setImmediate(stopListening);
  };
  const stopListening = () => {
    process.removeListener('SIGINT', hear);
  };
  process.on('SIGINT', hear);
  return { signal: controller.signal, stopListening };
}

function endAsTheSystemWould(): never {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
  // the system may be slower than the next line
  process.exit(interruptedExitCode);
}
