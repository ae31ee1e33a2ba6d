/** `npm run demo`. Refuses to be more than the way in: `main.ts` does what there is to do. */

import { main } from './main.js';

// npm starts scripts in the package's folder and keeps the user's here
process.exitCode = await main(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
