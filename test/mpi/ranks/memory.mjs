/**
 * The memory that a loss needs on each rank: how far the resident memory of the process grew, and what docs/ring.md
 * names. The arguments are rows and dim.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { contrastiveLossAndGrad } from 'infcl';
import { mpi } from 'infcl/mpi';
import { say } from './rank.mjs';
import { shardOf } from './shard.mjs';

const [rows, dim] = process.argv.slice(2).map(Number);
const group = await mpi({ timeout: 120_000 });
const { rank } = group;
const options = { group, threads: 1, workspaceBytes: 64 * 2 ** 20 };

/** A line of /proc/self/status, in bytes. */
const status = (name) =>
  1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status'))[1]);

// a first call brings threads and code into memory
await contrastiveLossAndGrad(shardOf(rank, 64, dim), shardOf(rank, 64, dim, 2), options);
const queries = shardOf(rank, rows, dim);
const keys = shardOf(rank, rows, dim, 2);
const queryGrads = new Float32Array(rows * dim);
const keyGrads = new Float32Array(rows * dim);
await group.barrier();
// the peak begins anew here
writeFileSync('/proc/self/clear_refs', '5');
const before = status('VmRSS');
const begin = performance.now();
const { stats } = await contrastiveLossAndGrad(queries, keys, { ...options, out: { queryGrads, keyGrads } });
say({
  rank,
  seconds: (performance.now() - begin) / 1e3,
  features: queries.data.byteLength + keys.data.byteLength,
  gradients: queryGrads.byteLength + keyGrads.byteLength,
  workspace: stats.workspaceBytes,
  grew: status('VmHWM') - before,
});
await group.close();
