/**
 * The timeline of a loss on each rank. The arguments are rows, dim and dtype; the second of two calls counts, since the
 * first one opens connections.
 */
import { contrastiveLossAndGrad, toBFloat16 } from 'infcl';
import { mpi } from 'infcl/mpi';
import { say } from './rank.mjs';
import { shardOf } from './shard.mjs';

const [rows, dim] = process.argv.slice(2, 4).map(Number);
const group = await mpi({ timeout: 120_000 });
const features = (seed) => {
  const shard = shardOf(group.rank, rows, dim, seed);
  return process.argv[4] === 'bfloat16' ? toBFloat16(shard) : shard;
};
const [queries, keys] = [features(1), features(2)];
let last;
for (let call = 0; call < 2; call++) {
  await group.barrier();
  const begin = performance.now();
  const { stats } = await contrastiveLossAndGrad(queries, keys, { group, threads: 1 });
  last = { rank: group.rank, seconds: (performance.now() - begin) / 1e3, ring: stats.ring };
}
say(last);
await group.close();
