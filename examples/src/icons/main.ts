/**
 * The command line of the icon demo from arguments to exit code: 0 done, 1 the run failed or the demo has a defect,
 * 2 flags, data or files that cannot be used, 130 interrupted. Refuses to hold logic of its own.
 */

import { resolve } from 'node:path';
import { explain } from '../explain.js';
import { helpCommand, helpText, parseIconFlags } from './cli.js';
import { runIcons } from './run-icons.js';

/** @param folder What relative paths are relative to. */
export async function main(args: readonly string[], folder: string): Promise<number> {
  try {
    const flags = parseIconFlags(args);
    if (flags.help) {
      process.stdout.write(helpText);
      return 0;
    }
    flags.out = resolve(folder, flags.out);
    if (flags.data !== undefined) flags.data = resolve(folder, flags.data);
    return await runIcons(flags);
  } catch (error) {
    return explain(error, helpCommand);
  }
}
