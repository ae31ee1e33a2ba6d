/**
 * Rank 1 cuts its own link, before a sum of all ranks or in the middle of a loss. Nothing that it prints can reach the
 * launcher then, so each rank writes what became of its calls to a file. The arguments are the folder, and `sum` or
 * `loss`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contrastiveLossAndGrad } from 'infcl';
import { mpi } from 'infcl/mpi';
import { outcome } from './rank.mjs';
import { shardOf } from './shard.mjs';

const [folder, what] = process.argv.slice(2);
const timeout = 3000;
const group = await mpi({ timeout });
const { rank, size } = group;
const sum = () => outcome(group.allReduce(new Float32Array(10)));
const loss = () =>
  outcome(contrastiveLossAndGrad(shardOf(rank, 5000, 64), shardOf(rank, 5000, 64, 2), { group, threads: 1 }));
let cutAt = null;
const cut = () => {
  cutAt = performance.now();
  const { status, stderr } = spawnSync('ip', ['link', 'set', 'eth0', 'down']);
  if (status !== 0) throw new Error(`ip link set eth0 down: ${stderr}`);
};

const first = await sum();
if (rank === 1 && what === 'sum') cut();
if (rank === 1 && what === 'loss') setTimeout(cut, 400);
const second = what === 'sum' ? await sum() : await loss();
const third = await sum();
writeFileSync(
  join(folder, `rank-${rank}.json`),
  JSON.stringify({ rank, size, timeout, cut: cutAt !== null, first, second, third }),
);
