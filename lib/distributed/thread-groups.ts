/**
 * Ranks that are threads of this process: for tests of code that trains on several ranks, and for several devices.
 *
 * Refuses to share a group with another worker thread: its handles belong to the thread that made it.
 */

import { callNative } from '../errors';
import { makeGroup, type ProcessGroup } from '../group/process-group';
import type { NativeBinding } from '../native/binding';
import { loadBinding } from '../native/load';
import * as check from '../validate';

/** More than the threads of any machine would serve. */
const mostRanks = 1024;

/**
 * Groups of one ring, one for each rank, in rank order. Calls of different ranks run beside each other, each on
 * threads of its own. So give each call its part of the processors with the option `threads`.
 *
 * Throws ERR_TYPE or ERR_VALUE for a number of ranks that is no integer from 1 to 1024.
 */
export function threadGroups(ranks: number): ProcessGroup[] {
  return threadGroupsOn(loadBinding, ranks);
}

/** `threadGroups` of an addon that is loaded after the check. */
export function threadGroupsOn(getBinding: () => NativeBinding, ranks: number): ProcessGroup[] {
  const size = check.positiveInteger('ranks', ranks, mostRanks);
  const binding = getBinding();
  const handles = callNative(() => binding.threadGroups({ ranks: size }));
  return handles.map((handle, rank) => makeGroup({ handle, rank, size }, binding));
}
