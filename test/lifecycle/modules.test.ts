/** import and require of the built package in one process share one native instance, one queue and all functions. */
import { answerOf } from './run-child';

interface BothModules {
  addons: number;
  names: string[];
  same: string[];
  losses: number[];
  settled: number[];
}

(process.platform === 'linux' ? it : it.skip)('ES modules and CommonJS are one', async () => {
  const answer = await answerOf<BothModules>('both-modules.mjs', null);
  expect(answer.addons).toBe(1);
  expect(answer.names).toContain('contrastiveLossAndGrad');
  expect(answer.same).toEqual(answer.names);
  expect(new Set(answer.losses).size).toBe(1);
  expect(answer.settled).toEqual([0, 1, 2, 3]);
});
