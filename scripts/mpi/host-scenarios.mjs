/**
 * Ranks on different hosts (namespaces.mjs): right numbers over TCP, the bytes that cross the links, and what becomes of
 * all calls when a link is cut. A scenario is a function of the MPI's name and the root of the clone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSent } from '../ring/messages.mjs';
import { check, node, show } from './checks.mjs';
import { onHosts } from './namespaces.mjs';
import { collectives, losses } from './scenarios.mjs';

const ranks = 3;

/** A scenario of one machine, on hosts. */
const onThese = (scenario) => (mpi, root) =>
  onHosts(mpi, ranks, root, ({ run }) => scenario({ run: (_, program) => run(program) }));

/** Headers of TCP and Ethernet, in full packets, are less than 5 % of the bytes. */
const headers = 1.1;
/** Starting the processes, opening connections, agreements. */
const beside = 3e6;

async function bytesOnTheWire(mpi, root) {
  const [rows, dim] = [2000, 256];
  const shards = Array.from({ length: ranks }, () => ({ queries: rows, keys: rows }));
  return onHosts(mpi, ranks, root, async ({ run, sentBytes }) => {
    const before = shards.map((_, rank) => sentBytes(rank));
    const end = await run(node('overlap', String(rows), String(dim)));
    const complaints = end.lines.flatMap(({ rank, ring }) => {
      const wire = sentBytes(rank) - before[rank];
      const counted = ring.reduce((sum, step) => sum + step.bytesSent, 0);
      const { forward, backward } = bytesSent({ objective: 'clip', shards, dim }, rank);
      // the program makes two calls, and its line is of one
      const least = 2 * counted;
      console.log(
        `  rank ${rank}: ${counted} bytes a call counted, ${forward + backward} by the formula; two calls and all else put ` +
          `${wire} on the link`,
      );
      return check(
        [counted === forward + backward, `rank ${rank} counted ${counted}, not ${forward + backward}`],
        [wire > least, `rank ${rank}: ${wire} bytes on the link, less than ${least}`],
        [
          wire < headers * least + beside,
          `rank ${rank}: ${wire} bytes on the link, more than ${least} explains`,
        ],
      );
    });
    return [
      ...complaints,
      ...check([end.lines.length === ranks, `exit status ${end.status}: ${end.output.slice(-1500)}`]),
    ];
  });
}

/** Longest loss of cut.mjs on shared processors, without any failure, in seconds. */
const longestLoss = 20;
/** The promise is `timeout` + 1 s after the last progress. */
const promised = 1;
/** A machine that does other work beside may be late by this. */
const grace = 3;

/** How long the launcher gets to notice. infcl promises nothing of launchers. */
const launcherSeconds = 45;

/** Every call settles, on the host that was cut off too while its process lives, with an error that names a rank. */
const cutLink = (what) => (mpi, root) =>
  onHosts(mpi, ranks, root, async ({ run, folder }) => {
    const end = await run(node('cut', folder, what), launcherSeconds);
    const files = Array.from({ length: ranks }, (_, rank) => join(folder, `rank-${rank}.json`));
    const complaints = files.flatMap((file, at) => {
      // the launcher's daemon on the host that is cut off may end rank 1 before
      if (!existsSync(file) && at === 1) console.log('  rank 1 was ended by its launcher');
      if (!existsSync(file)) return at === 1 ? [] : [`rank ${at} wrote nothing: ${end.output.slice(-1500)}`];
      const { rank, timeout, cut, first, second, third } = JSON.parse(readFileSync(file, 'utf8'));
      const most = timeout / 1e3 + promised + grace + (what === 'loss' ? longestLoss : 0);
      console.log(`  rank ${rank}: ${second.seconds.toFixed(1)} s: ${second.error?.message}`);
      return check(
        [first.error === null, `rank ${rank} before: ${show(first)}`],
        [cut === (rank === 1), `rank ${rank}: the link was cut by another rank`],
        [
          second.error?.code === 'ERR_RANK_FAILED' && /rank \d/.test(second.error.message),
          `rank ${rank}: ${show(second)}`,
        ],
        [rank === 1 || /rank 1/.test(second.error?.message), `rank ${rank} names another: ${show(second)}`],
        [second.seconds < most, `rank ${rank} waited ${second.seconds} s`],
        [third.error?.message === second.error?.message, `rank ${rank} later: ${show(third)}`],
      );
    });
    const ended = `the launcher ended after ${end.seconds.toFixed(1)} s with ${end.status}`;
    console.log(`  ${end.hung ? `the launcher did not end in ${launcherSeconds} s` : ended}`);
    return complaints;
  });

/** Links of so many megabits a second, and the part of them that headers leave. */
const slow = { megabits: 100, payload: 0.95 };

/**
 * How much of the messages hides behind the work, over slow links, and what the model says of it: of each visit, the
 * longer of work and message. A report: only what no noise can change is checked.
 */
function overlap(rows) {
  const [count, dim] = [2, 256];
  const work = async (mpi, { run }) => {
    const end = await run(node('overlap', String(rows), String(dim)));
    if (end.lines.length !== count) return [`exit status ${end.status}: ${end.output.slice(-1500)}`];
    const rings = end.lines.map(({ ring }) => ring);
    const most = (at, name) => Math.max(...rings.map((ring) => ring[at][name]));
    const visits = rings[0].map((_, at) => ({
      compute: most(at, 'computedSeconds'),
      transfer: most(at, 'bytesSent') / ((slow.payload * slow.megabits * 1e6) / 8),
    }));
    const sum = (f) => visits.reduce((total, visit) => total + f(visit), 0);
    const compute = sum((visit) => visit.compute);
    const transfer = sum((visit) => visit.transfer);
    const model = sum((visit) => Math.max(visit.compute, visit.transfer));
    const measured = Math.max(
      ...rings.map((ring) => ring.reduce((all, step) => all + step.computedSeconds + step.waitedSeconds, 0)),
    );
    const seconds = (value) => `${value.toFixed(2)} s`;
    console.log(
      `  ${mpi}, ${rows} rows a rank: compute ${seconds(compute)} (measured), messages ${seconds(transfer)} (bytes over the ` +
        `rate of the link); one after the other ${seconds(compute + transfer)}, model ${seconds(model)}, measured ${seconds(measured)}`,
    );
    return check([measured > 0.8 * model, `${seconds(measured)} are less than the link allows`]);
  };
  return (mpi, root) => onHosts(mpi, count, root, (hosts) => work(mpi, hosts), slow);
}

export const hostScenarios = {
  'collectives on 3 hosts': onThese(collectives(ranks)),
  'losses on 3 hosts': onThese(losses(ranks)),
  'bytes on the wire': bytesOnTheWire,
  'a cut link': cutLink('sum'),
  'a cut link within a loss': cutLink('loss'),
  'overlap, few rows': overlap(1000),
  'overlap, some rows': overlap(4000),
  'overlap, many rows': overlap(8000),
};
