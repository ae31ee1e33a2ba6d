/**
 * The command line from arguments to exit code: 0 done, 1 the run failed (quick check, divergence) or the demo has a
 * defect, 2 flags, data or files that cannot be used, 130 interrupted. Refuses to hold logic of its own.
 */

import { resolve } from 'node:path';
import { helpText, parseFlags } from './cli.js';
import { explain } from './explain.js';
import { runDemo } from './run-demo.js';

/** @param folder What relative paths are relative to. */
export async function main(args: readonly string[], folder: string): Promise<number> {
  try {
    const flags = parseFlags(args);
    if (flags.help) {
      process.stdout.write(helpText);
      return 0;
    }
    flags.out = resolve(folder, flags.out);
    if (flags.data !== undefined) flags.data = resolve(folder, flags.data);
    return await runDemo(flags);
  } catch (error) {
    return explain(error, 'npm run demo -- --help');
  }
}
