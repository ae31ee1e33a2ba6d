/**
 * The process that uses the addon for the doctor. An addon that dies takes this process with it and not the report.
 * Writes all that is known as one line of JSON after each step.
 */

import fs from 'node:fs';
import { examine } from './examine';

// not console.log, whose text may be lost when the process dies
void examine((known) => fs.writeSync(1, `${JSON.stringify(known)}\n`));
