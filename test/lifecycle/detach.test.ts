/**
 * Arrays taken away while a call uses them: their buffer transferred, the receiver dropped, garbage collected. What must
 * hold: the call ends with ERR_DETACHED and the memory stays until then; nothing crashes, later calls are right.
 */
import type { DetachAnswer, DetachOrder } from './children/detach';
import { answerOf, rounds } from './run-child';

it.each([8192, 600])('inputs and outputs of %i rows, transferred away and collected', async (rows) => {
  const order: DetachOrder = { rounds: rounds(20), rows };
  const answer = await answerOf<DetachAnswer>('detach.ts', order, { nodeOptions: ['--expose-gc'] });
  expect(answer.after).toBe(answer.before);
  expect(answer.ends.length).toBe(order.rounds);
  const codes = [...new Set(answer.ends.map(([, end]) => end))].sort();
  if (rows > 1000) expect(codes).toEqual(['ERR_DETACHED']);
  // a small call may be done before its array is taken
  else expect(['ERR_DETACHED', 'fulfilled']).toEqual(expect.arrayContaining(codes));
});
