/**
 * A process that listens for Ctrl-C as the demo does, and then behaves as its argument says. Refuses to end by itself
 * within a minute, so that a signal that is lost is a test that fails.
 */

import { breathe } from '../../src/breathe.js';
import { listenForInterrupt } from '../../src/interrupt.js';

const { signal } = listenForInterrupt();
const keepAlive = setTimeout(() => process.exit(99), 60_000);

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function work(): Promise<void> {
  switch (process.argv.at(-1)) {
    case 'breathes between pieces of work':
      console.log('ready');
      for (;;) {
        block(200);
        await breathe(signal);
      }
    case 'blocks after the first':
      signal.addEventListener('abort', () => {
        setTimeout(() => {
          process.stdout.write('blocked\n', () => block(50_000));
        }, 10);
      });
      console.log('ready');
      break;
    case 'blocks before both':
      console.log('ready');
      await new Promise((resolve) => setTimeout(resolve, 50));
      block(2000);
      console.log('free');
  }
}

work().catch((error: Error) => {
  clearTimeout(keepAlive);
  console.log(error.message);
  process.exitCode = 130;
});
