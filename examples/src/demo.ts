/**
 * `npm run demo`: reads flags, runs, and turns outcomes into messages and exit codes: 0 done, 1 the quick check
 * failed or something broke, 2 bad flags, data or checkpoint, 130 interrupted. Refuses to hold logic of its own.
 */

import { resolve } from 'node:path';
import { helpText, parseFlags } from './cli.js';
import { DemoError } from './errors.js';
import { Interrupted, interruptedExitCode, interruptSignal } from './interrupt.js';
import { runDemo } from './run-demo.js';

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(helpText);
    return 0;
  }
  // npm starts scripts in the package's folder and keeps the user's here
  const from = process.env.INIT_CWD ?? process.cwd();
  flags.out = resolve(from, flags.out);
  if (flags.data !== undefined) flags.data = resolve(from, flags.data);
  const signal = interruptSignal();
  try {
    return await runDemo(flags, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw signal.reason;
  }
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) {
    console.error(`\n${error.message}. Go on with the same flags and --resume.`);
    return interruptedExitCode;
  }
  const { code } = error as NodeJS.ErrnoException;
  const known = error instanceof DemoError;
  if (known || code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES') {
    console.error(`${(error as Error).message}\nSee npm run demo -- --help`);
    return 2;
  }
  console.error(error);
  return 1;
}

process.exitCode = await main().catch(explain);
