/** The demo from source: main(arguments). With FULL_DISK its checkpoint goes to a device that has no room. */

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/main.js';

const args = process.argv.slice(1); // node -e has no script of its own there
const out = args[args.indexOf('--out') + 1]!;
if (process.env.FULL_DISK) {
  mkdirSync(out, { recursive: true });
  symlinkSync('/dev/full', join(out, `checkpoint.bin.${process.pid}.tmp`));
}
void main(args, process.cwd()).then((code) => {
  process.exitCode = code;
});
