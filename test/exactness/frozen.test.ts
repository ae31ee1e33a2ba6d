/** Frozen sides and banks: what gets a gradient has the bits it has when everything does, and the rest costs nothing. */
import { contrastiveLossAndGradSync } from '../../lib';
import { makeLabels, makePair } from '../reference/inputs';

const rows = 457;
const keys = 911;
const labels = makeLabels(rows, keys, 44);

const variants = [
  { name: 'clip', options: { logitScale: 20 }, ...makePair({ rows, dim: 29, seed: 600 }) },
  {
    name: 'infonce',
    options: { objective: 'infonce' as const, logitScale: 20, labels },
    ...makePair({ rows, keys, dim: 29, seed: 602, labels }),
  },
];

describe.each(variants)('$name', ({ options, queries, keys: keyMatrix }) => {
  const both = contrastiveLossAndGradSync(queries, keyMatrix, options);
  const grad = (sides: { queries?: boolean; keys?: boolean | { rows: number } }) =>
    contrastiveLossAndGradSync(queries, keyMatrix, { ...options, grad: sides });

  it('frozen keys leave the query gradients as they are', () => {
    const result = grad({ keys: false });
    expect(result.queryGrads).toEqual(both.queryGrads);
    expect(result.keyGrads).toHaveLength(0);
    expect(result.loss).toBe(both.loss);
  });

  it('frozen queries leave the key gradients as they are', () => {
    const result = grad({ queries: false });
    expect(result.keyGrads).toEqual(both.keyGrads);
    expect(result.queryGrads).toHaveLength(0);
    expect(result.loss).toBe(both.loss);
  });

  it.each([1, 64, 449, 456])('a bank after %i keys leaves their gradients as they are', (count) => {
    const result = grad({ keys: { rows: count } });
    expect(result.keyGrads).toEqual(both.keyGrads.subarray(0, count * 29));
    expect(result.queryGrads).toEqual(both.queryGrads);
  });

  it('the scale has its gradient whatever is frozen', () => {
    for (const sides of [{ keys: false }, { queries: false }, { keys: { rows: 64 } }]) {
      expect(grad(sides).logitScaleGrad).toBeCloseTo(both.logitScaleGrad, 7);
    }
  });

  it('a frozen side saves its product', () => {
    expect(grad({ keys: false }).stats.flops).toBeLessThan(both.stats.flops);
    expect(grad({ queries: false }).stats.flops).toBeLessThan(both.stats.flops);
  });
});
