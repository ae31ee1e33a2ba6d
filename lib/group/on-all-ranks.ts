/**
 * Work of all ranks that is more than one call of their group. Where the work fails on one rank, it fails on all.
 *
 * Refuses to know the work. While it runs, the program must make no other calls of the group.
 */

import { type ProcessGroup, refuseInGroup, watchFailures } from './process-group';

/**
 * Runs this rank's part of the work, and then waits for the parts of the others. An error of this rank takes the place
 * of its next call. So the others, which wait in that call or at the end, get ERR_RANK_FAILED, and all ranks are at the
 * same call again.
 */
export async function onAllRanks<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  const failedOnAll = watchFailures(group);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // after a call that failed on all ranks, no rank makes another one
    if (!failedOnAll()) refuseInGroup(group, error);
    throw error;
  }
  await group.barrier();
  return result;
}
