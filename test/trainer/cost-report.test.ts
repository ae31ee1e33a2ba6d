import { formatCostReport } from '../../lib/trainer/cost-report';

test('formatCostReport lines up seconds, shares and sizes', () => {
  const report = {
    encode: { seconds: 1, bytes: 16 * 2 ** 20 },
    loss: { seconds: 0.5, bytes: 3.5 * 2 ** 30 },
    backward: { seconds: 2.25, bytes: 512 },
    totalSeconds: 4,
    overheadRatio: 0.25,
  };
  expect(formatCostReport(report).split('\n')).toEqual([
    'encode        1.000 s   25.0 %     16.0 MiB',
    'loss          0.500 s   12.5 %      3.5 GiB',
    'backward      2.250 s   56.3 %        512 B',
    'total         4.000 s  100.0 %',
    'decoupling the backbone cost 25.0 % of the step',
  ]);
});
