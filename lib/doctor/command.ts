/**
 * The command `infcl`: `infcl doctor [--json]`, `infcl --help`, `infcl --version`.
 *
 * Exit status: 0 where all is well, 1 where the doctor found something wrong, 2 for a wrong command line.
 */

import process from 'node:process';
import { parseArgs } from 'node:util';
import { shorten } from '../describe';
import { valueHint } from '../hints';
import { makeReport } from './make-report';
import type { Examination } from './report';
import { runExamination } from './run-examination';
import { readManifest } from './system';
import { renderText } from './text';

const usage = `usage: infcl doctor [--json]

  doctor     shows what a bug report needs: the machine, the binary that was loaded, backends, a short
             self-test, and the time of one call. Takes some seconds. Sends nothing anywhere
  --json     the same as JSON
  --help     print this text
  --version  print the version of infcl`;

const commands = ['doctor'];

export interface Answer {
  status: 0 | 1 | 2;
  stdout: string;
  stderr: string;
}

/** Texts without a line end at their end. `run` stands for the examination in tests. */
export async function answer(
  args: string[],
  run: () => Examination | Promise<Examination> = runExamination,
): Promise<Answer> {
  const parsed = parse(args);
  if (typeof parsed === 'string') return { status: 2, stdout: '', stderr: `infcl: ${parsed}\n\n${usage}` };
  const { values, positionals } = parsed;
  if (values.help) return { status: 0, stdout: usage, stderr: '' };
  if (values.version) return { status: 0, stdout: readManifest().version, stderr: '' };
  const problem = complaint(positionals);
  if (problem !== null) return { status: 2, stdout: '', stderr: `infcl: ${problem}\n\n${usage}` };
  const report = makeReport(await run());
  const stdout = values.json ? JSON.stringify(report, null, 2) : renderText(report).trimEnd();
  return { status: report.ok ? 0 : 1, stdout, stderr: '' };
}

const options = {
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** The arguments, or what is wrong with them. */
function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // the second sentence of Node's message explains how to pass names that begin with "--"
    return (error as Error).message.split('. ')[0]!;
  }
}

function complaint([command, ...more]: string[]): string | null {
  if (command === undefined) return 'a command is missing: expected doctor';
  if (!commands.includes(command)) {
    return `unknown command ${JSON.stringify(shorten(command))}: expected doctor${valueHint(command, commands)}`;
  }
  return more.length > 0 ? `doctor takes no argument ${JSON.stringify(shorten(more[0]!))}` : null;
}

export async function main(args: string[]): Promise<void> {
  const { status, stdout, stderr } = await answer(args);
  if (stdout !== '') process.stdout.write(`${stdout}\n`);
  if (stderr !== '') process.stderr.write(`${stderr}\n`);
  // not process.exit, which may cut off what a pipe has not taken yet
  process.exitCode = status;
}
