/** plan({ ranks }) against calls on ranks: memory, bytes that were sent, and the arithmetic of what the ring hides. */
import {
  type AnyContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  type PlanOptions,
  plan,
} from '../../lib';
import { makePair } from '../reference/inputs';
import { onRanks, rowsOf } from './ranks';

const [rows, dim] = [600, 48];
const pair = makePair({ rows, dim, seed: 4 });
const classes = Int32Array.from({ length: rows }, (_, i) => i % 9);

describe.each([2, 3, 4, 5])('%i ranks', (ranks) => {
  it.each<Partial<PlanOptions>>([
    {},
    { gradient: false },
    { objective: 'infonce' },
    { objective: 'siglip' },
    { objective: 'ntxent' },
    { objective: 'supcon' },
    { objective: 'supcon', keys: 0 },
  ])('%j', async (options) => {
    const { objective = 'clip', gradient = true, keys } = options;
    const planned = plan({ queries: rows, dim, threads: 1, ...options, ranks }).ranks!;
    const each = rows / ranks;
    expect(planned.rows).toEqual({ queries: each, keys: keys ?? each });
    const call = gradient ? contrastiveLossAndGrad : contrastiveLoss;
    const all = await onRanks(ranks, (group, rank) => {
      const [begin, end] = [rank * each, (rank + 1) * each];
      const labels = objective === 'supcon' ? classes.slice(begin, end) : undefined;
      const own = { objective, labels, threads: 1, group } as AnyContrastiveOptions;
      return call(rowsOf(pair.queries, begin, end), keys === 0 ? null : rowsOf(pair.keys, begin, end), own);
    });
    for (const { stats } of all) {
      const sent = (phase: string) =>
        stats.ring!.reduce((sum, step) => sum + (step.phase === phase ? step.bytesSent : 0), 0);
      expect([sent('forward'), sent('backward')]).toEqual([
        planned.bytesSent.forward,
        planned.bytesSent.backward,
      ]);
      // a side that meets itself alone has visits of several shapes
      const allowed = objective === 'supcon' && keys === 0 ? 0.35 : 0.01;
      expect(Math.abs(planned.bytes.workspace / stats.workspaceBytes - 1)).toBeLessThan(allowed);
    }
  });
});

describe('the network', () => {
  const batch = { queries: 4096, dim: 64, threads: 1 } as const;
  const planOf = (bytesPerSecond?: number) => plan({ ...batch, ranks: { count: 4, bytesPerSecond } }).ranks!;

  it('is unknown by default', () => {
    const planned = plan({ ...batch, ranks: 4 }).ranks!;
    expect(planned).toEqual(planOf());
    for (const name of ['sendSeconds', 'hidden', 'estimatedSeconds'])
      expect(planned).not.toHaveProperty(name);
  });

  it('that is fast is hidden, and one that is slow is waited for', () => {
    const { bytesSent, computeSeconds } = planOf();
    const own = computeSeconds / 4;
    const fast = planOf(1e15);
    expect(fast).toMatchObject({ hidden: true, computeSeconds, sendSeconds: bytesSent.total / 1e15 });
    expect(fast.estimatedSeconds).toBeCloseTo(computeSeconds, 12);
    const slow = planOf(1000);
    expect(slow).toMatchObject({ hidden: false, sendSeconds: bytesSent.total / 1000 });
    expect(slow.estimatedSeconds).toBeCloseTo(own + bytesSent.total / 1000, 9);
  });

  it('of one rank sends nothing', () => {
    const { ranks, bytes } = plan({ ...batch, ranks: 1 });
    expect(ranks).toMatchObject({ rows: { queries: 4096, keys: 4096 }, bytesSent: { total: 0 } });
    expect(ranks!.bytes).toMatchObject({ guests: 0, total: bytes.total });
  });

  it('of uneven shards is planned for the largest one', () => {
    const planned = plan({ queries: 10, keys: 31, dim: 4, ranks: 3 }).ranks!;
    expect(planned.rows).toEqual({ queries: 4, keys: 11 });
  });
});
