/**
 * Threads and endings: several worker threads at once, worker.terminate() and process.exit() in the middle of calls.
 * These must hold: equal bits everywhere, the exit code that was asked for, and not one signal.
 */
import type { ExitOrder } from './children/exit-during-call';
import type { ManyWorkersAnswer } from './children/many-workers';
import type { TerminateAnswer } from './children/terminate-workers';
import { seeded } from './problems';
import { answerOf, rounds, runChild } from './run-child';

it('four worker threads and the main thread compute equal bits at the same time', async () => {
  const problems = rounds(14);
  const answer = await answerOf<ManyWorkersAnswer>('many-workers.ts', { workers: 4, problems });
  expect(new Set(answer.main).size).toBe(problems);
  expect(answer.workers).toEqual(Array(4).fill(answer.main));
});

it('worker.terminate() ends running, waiting and blocking calls, and leaves the process able to compute', async () => {
  const count = rounds(18);
  const answer = await answerOf<TerminateAnswer>('terminate-workers.ts', { rounds: count, seed: 1 });
  expect(answer.exitCodes).toEqual(Array(count).fill(1));
  expect(answer.after).toBe(answer.before);
  // how long that took is the machine's business as much as ours: recorded, not judged
  expect(answer.milliseconds).toHaveLength(count);
});

describe.each(['exit', 'throw', 'exitInWorkers'] as const)('leaving the process by %s', (how) => {
  const random = seeded(how.length);

  it.each(Array.from({ length: rounds(6) }, () => Math.floor(random() * 120)))(
    '%i ms into a call',
    async (milliseconds) => {
      const message = 'thrown while a call runs';
      const order: ExitOrder = { how, milliseconds, message };
      const { code, signal, stderr } = await runChild('exit-during-call.ts', order);
      expect({ code, signal }).toEqual({ code: how === 'throw' ? 1 : 7, signal: null });
      if (how === 'throw') expect(stderr).toContain(message);
      else expect(stderr).toBe('');
    },
  );
});
