/** A race of ours with a peer that runs in Node: seconds and peak memory of both, checked to do the same job. */
import { type Duel, duelOf } from './duel.js';
import type { LineProcess } from './line-process.js';
import { mebibyte } from './memory.js';
import type { Row } from './report.js';
import type { Growth } from './resident.js';
import { Unavailable } from './toolchain.js';
import type { PeerGreeting } from './yardsticks.js';

export interface NodeRace {
  /** Its greeting is a Growth in JSON. */
  ours(): Promise<LineProcess>;
  /** Its greeting is a PeerGreeting in JSON. */
  theirs(): Promise<LineProcess>;
  /** What ours is asked each round. */
  request: object;
  rounds: number;
}

export interface Outcome {
  duel: Duel;
  timesFaster: number;
  timesLess: number;
  ours: Growth;
  theirs: PeerGreeting;
}

export function requireResidentMemory(): void {
  if (process.platform !== 'linux')
    throw new Unavailable('peak memory is read from /proc, which only Linux has');
}

export async function race({ request, rounds, ...contestants }: NodeRace): Promise<Outcome> {
  requireResidentMemory();
  const duel = await duelOf({ ours: contestants.ours(), theirs: contestants.theirs() }, request, rounds);
  const ours = JSON.parse(duel.ourGreeting) as Growth;
  const theirs = JSON.parse(duel.greeting) as PeerGreeting;
  return { duel, ours, theirs, timesFaster: 1 / duel.ratio, timesLess: theirs.laterBytes / ours.laterBytes };
}

export function rowOf(label: string, { duel, ours, theirs, timesFaster, timesLess }: Outcome): Row {
  return {
    label,
    cells: {
      'ours s': duel.ours,
      'peer s': duel.theirs,
      'times faster': timesFaster,
      '± times': timesFaster * duel.ratioSpread,
      'ours MiB': ours.laterBytes / mebibyte,
      'peer MiB': theirs.laterBytes / mebibyte,
      'times less memory': timesLess,
      'peer MiB, first call': theirs.firstBytes / mebibyte,
      'difference, parts per million': theirs.difference * 1e6,
      version: theirs.version,
    },
  };
}
