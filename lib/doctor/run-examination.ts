/**
 * Runs the examination in a process of its own, and says how that process ended.
 *
 * Refuses to wait for ever: an examination that hangs is ended, and what it found so far is kept.
 */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { examine } from './examine';
import { type Examination, emptyExamination } from './report';
import { hideHome } from './system';

/** Slow kernels on one slow core take about a minute. */
const patience = 5 * 60_000;

export interface ProcessEnd {
  stdout: string;
  stderr: string;
  status: number | null;
  signal: string | null;
  error?: Error | undefined;
}

export async function runExamination(): Promise<Examination> {
  // a process that Deno starts has none of the permissions of this one
  if (process.versions.deno !== undefined) return examineHere();
  const file = path.join(__dirname, 'examine-process.js');
  let end: ProcessEnd;
  try {
    end = spawnSync(process.execPath, [...process.execArgv, file], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      timeout: patience,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
  } catch {
    return await examineHere(); // Node's permission model forbids processes, and may allow the addon
  }
  return end.stdout === null ? examineHere() : readEnd(end); // null where the system refused the process
}

async function examineHere(): Promise<Examination> {
  let last: Examination | undefined;
  await examine((known) => {
    last = known;
  });
  return last!;
}

/** What the process said last, with a problem where it did not end as it should. */
export function readEnd({ stdout, stderr, status, signal, error }: ProcessEnd): Examination {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  const known: Examination =
    lines.length > 0 ? JSON.parse(lines.at(-1)!) : emptyExamination('starting a process');
  if (status === 0 && known.step === 'done') return known;
  const timedOut = (error as { code?: unknown } | undefined)?.code === 'ETIMEDOUT';
  const how = timedOut
    ? `took more than ${patience / 60_000} minutes and was ended`
    : `ended its process (${signal ?? `exit status ${status}`})`;
  const said = hideHome(stderr.trim()).split('\n').slice(-3).join(' ');
  const last = said === '' ? '' : `. Its last words: ${said}`;
  return { ...known, problems: [...known.problems, `infcl ${how} during this step: ${known.step}${last}`] };
}
