/**
 * From an error to what a person reads, and to the exit code of a demo: 130 interrupted, 2 for what the person can
 * mend, 1 for a defect, with its stack trace. Refuses to guess: an error of no known kind is a defect.
 */

import { DemoError, UsageError } from './errors.js';
import { Interrupted, interruptedExitCode } from './interrupt.js';

/** What infcl says of the machine or of another rank, not of the demo. */
const machineCodes = ['ERR_OUT_OF_MEMORY', 'ERR_BACKEND_UNAVAILABLE', 'ERR_ISA', 'ERR_RANK_FAILED'];

/**
 * Prints the error and returns the exit code.
 * @param help The command that lists the flags.
 */
export function explain(error: unknown, help: string): number {
  const { message, code } = error as { message?: string; code?: string };
  if (error instanceof Interrupted) {
    // the terminal has shown ^C on this line
    console.error(`\n${message}`);
    return interruptedExitCode;
  }
  if (error instanceof DemoError || (code !== undefined && machineCodes.includes(code))) {
    console.error(error instanceof UsageError ? `${message}. See ${help}` : message);
    return 2;
  }
  console.error(error);
  return 1;
}
