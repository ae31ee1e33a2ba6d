/**
 * Public names of `infcl/mpi`: a group of the processes that `mpirun` or another MPI launcher has started.
 *
 * The MPI library is found when the process runs. infcl is not compiled against it, and nothing has to be built.
 */

import { codedError, fromNative } from '../errors';
import { makeGroup, type ProcessGroup } from '../group/process-group';
import type { NativeGroup } from '../native/binding';
import { loadBinding } from '../native/load';
import { readNames } from '../read-names';
import * as check from '../validate';
import { prepareMpiEnvironment } from './mpi-environment';
import { watchProcessEnd } from './process-end';

export type { CollectiveArray, ProcessGroup, ReducibleArray, Reduction } from '../group/process-group';

export interface MpiOptions {
  /**
   * Milliseconds that a call waits while nothing moves, 60,000 by default. Longer than the longest time that one
   * rank may compute while another one waits for it.
   */
  timeout?: number | undefined;
  /** Path of the MPI library. Default: INFCL_MPI_LIBRARY, or else the library of the launcher. */
  library?: string | undefined;
}

/** Timers of Node take no more. */
const longestTimeout = 2 ** 31 - 1;

/**
 * Opens the group of all processes that the launcher has started. Every one of them must call this function. A
 * process can do so once.
 *
 * Errors: ERR_TYPE, ERR_VALUE, ERR_OPTION; ERR_BACKEND_UNAVAILABLE where no MPI library is found, its layout is
 * unknown, or it sees another number of ranks than the launcher has started; ERR_RANK_FAILED where MPI does not
 * begin in time.
 */
export async function mpi(options: MpiOptions = {}): Promise<ProcessGroup> {
  const { timeout, library } = readOptions(options);
  const binding = loadBinding();
  prepareMpiEnvironment(process.env);
  let native: NativeGroup;
  try {
    native = await binding.openGroup({ library, timeout: timeout / 1000 });
  } catch (error) {
    throw fromNative(error);
  }
  const { handle, rank, size } = native;
  const onClosed = watchProcessEnd(binding, handle, process);
  return makeGroup({ handle, rank, size, timeout, onClosed }, binding);
}

function readOptions(options: unknown): { timeout: number; library: string } {
  const { timeout = 60_000, library } = readNames('options', options, ['timeout', 'library']);
  if (library !== undefined && typeof library !== 'string')
    throw check.invalid('ERR_TYPE', 'options.library', 'string', library);
  if (library === '' || library?.includes('\0'))
    throw codedError(
      'ERR_VALUE',
      'Expected a path for options.library but received an empty or invalid string',
    );
  return {
    timeout: check.positiveFloat('options.timeout', timeout, longestTimeout),
    library: library ?? process.env.INFCL_MPI_LIBRARY ?? '',
  };
}
