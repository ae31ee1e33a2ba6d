/** One search for every instruction set: several tiles on each of them, and many ties. */
import { coarsePair, randomIds } from '../reference/search';

export function searchExample() {
  const { queries, keys } = coarsePair({ rows: 70, keys: 950, dim: 21, seed: 51 });
  return { queries, keys, keyIds: randomIds(950, 300, 52), k: 40 };
}
