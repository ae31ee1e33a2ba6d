/** Public names of `infcl/distributed`. */

export type { CollectiveArray, ProcessGroup, ReducibleArray, Reduction } from '../group/process-group';
export { threadGroups } from './thread-groups';
