/** Public names of `infcl/distributed`. */

export type { ProcessGroup } from '../loss/group';
export { threadGroups } from './thread-groups';
