/**
 * `npm run demo:detection`. Starts `main.ts` with the process's arguments. Refuses to do anything else, so
 * that tests can run all of it.
 */

import { main } from './main.js';

// npm starts scripts in the package's folder and keeps the user's here
process.exitCode = await main(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
