/** What a person is told of a run that ended early. Refuses to pass a failure for an interruption. */

import { OutputError } from './errors.js';
import { Interrupted } from './interrupt.js';

/** What to tell: after Ctrl-C only the interruption itself passes for one, not what failed meanwhile. */
export function endOf(
  { signal, savedStep }: { signal: AbortSignal; savedStep?: number },
  error: unknown,
): unknown {
  if (signal.aborted && (error as Error | undefined)?.name === 'AbortError')
    return new Interrupted(savedStep);
  if (!(error instanceof OutputError)) return error;
  const stopped = signal.aborted ? 'Stopped by Ctrl-C. ' : '';
  const next =
    savedStep === undefined
      ? 'nothing was saved, so make room or choose another --out, and start again'
      : `step ${savedStep} was saved before, so make room and go on with --resume`;
  return new OutputError(`${stopped}${error.message}: ${next}`);
}
