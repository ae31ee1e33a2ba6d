/**
 * The end of a process that is a rank. In good order, the rank waits for the others and ends MPI. Otherwise it tells
 * the others why, and then ends all ranks: they would wait for it.
 *
 * Refuses to judge errors that the program catches.
 */

import fs from 'node:fs';
import type { GroupHandle, NativeBinding } from '../native/binding';

/** The events of `process` that count. */
type Process = Pick<
  NodeJS.Process,
  'on' | 'once' | 'removeListener' | 'listenerCount' | 'hasUncaughtExceptionCaptureCallback'
>;

/**
 * Watches the process for a group. Returns a function that stops watching errors; the end of the process is watched for
 * good, as MPI may still be busy.
 */
export function watchProcessEnd(
  binding: Pick<NativeBinding, 'failGroup' | 'leaveGroup'>,
  handle: GroupHandle,
  process: Process,
): () => void {
  const onUncaught = (error: unknown) => {
    if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback())
      return;
    // Node prints the error after 'exit' has run, and by then the process may be gone.
    print(`${error instanceof Error ? (error.stack ?? error) : String(error)}\n`);
    binding.failGroup(handle, `uncaught ${describe(error)}`);
  };
  process.once('exit', (code: number) => binding.leaveGroup(handle, code));
  process.on('uncaughtExceptionMonitor', onUncaught);
  return () => void process.removeListener('uncaughtExceptionMonitor', onUncaught);
}

function print(text: string): void {
  try {
    fs.writeSync(2, text);
  } catch {
    // stderr may be closed
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `error: ${String(error)}`;
}
