/** Opens a group and says what became of it. */
import { mpi } from 'infcl/mpi';
import { plain, say } from './rank.mjs';

const group = await mpi({ timeout: 10_000 }).catch((error) => say({ error: plain(error) }));
if (group) {
  const values = await group.allReduce(Float64Array.of(1));
  say({ rank: group.rank, size: group.size, sum: values[0], error: null });
  if (process.argv[2] === 'close') await group.close();
}
