/**
 * The command line of the detection demo from arguments to exit code: 0 done, 1 the run failed or the demo
 * has a defect, 2 flags, data or files that cannot be used, 130 interrupted. Refuses to hold logic of its
 * own.
 */

import { resolve } from 'node:path';
import { explain } from '../explain.js';
import { helpCommand, helpText, parseDetectionFlags } from './cli.js';
import { runDetection } from './run-detection.js';

/** @param folder What relative paths are relative to. */
export async function main(args: readonly string[], folder: string): Promise<number> {
  try {
    const flags = parseDetectionFlags(args);
    if (flags.help) {
      process.stdout.write(helpText);
      return 0;
    }
    flags.out = resolve(folder, flags.out);
    return await runDetection(flags);
  } catch (error) {
    return explain(error, helpCommand);
  }
}
