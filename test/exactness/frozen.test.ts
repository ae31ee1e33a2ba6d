/** Frozen sides and banks: what gets a gradient has the bits it has when everything does, and the rest costs nothing. */
import { contrastiveLossAndGradSync } from '../../lib';
import { makeProblem, type Recipe } from '../reference/problems';

const rows = 457;
const dim = 29;
const square = { rows, keys: rows, dim, logitScale: 20 };

/** `bank`: whether only the first keys may have a gradient, which takes an objective whose keys are no anchors. */
const variants: [string, Recipe, bank: boolean][] = [
  ['clip', { ...square, objective: 'clip', seed: 600 }, true],
  ['infonce', { ...square, objective: 'infonce', keys: 911, labelSeed: 44, seed: 602 }, true],
  ['ntxent', { ...square, objective: 'ntxent', seed: 604 }, false],
  ['supcon', { ...square, objective: 'supcon', seed: 606 }, false],
  ['siglip', { ...square, objective: 'siglip', keys: 911, seed: 608 }, true],
  ['hard negatives', { ...square, objective: 'clip', hardPerQuery: 2, seed: 610 }, true],
  ['smoothing', { ...square, objective: 'clip', labelSmoothing: 0.1, ids: 90, seed: 612 }, true],
];

describe.each(variants)('%s', (_, recipe, bank) => {
  const { queries, keys, options } = makeProblem(recipe);
  const grad = (sides: { queries?: boolean; keys?: boolean | { rows: number }; hardNegatives?: boolean }) =>
    contrastiveLossAndGradSync(queries, keys, { ...options, grad: sides });
  const both = grad({});

  it('frozen keys leave the query gradients as they are', () => {
    const result = grad({ keys: false });
    expect(result.queryGrads).toEqual(both.queryGrads);
    expect(result.keyGrads).toHaveLength(0);
    expect(result.loss).toBe(both.loss);
  });

  it('frozen queries leave the key gradients as they are', () => {
    const result = grad({ queries: false });
    expect(result.keyGrads).toEqual(both.keyGrads);
    expect(result.hardNegativeGrads).toEqual(both.hardNegativeGrads);
    expect(result.queryGrads).toHaveLength(0);
    expect(result.loss).toBe(both.loss);
  });

  it('everything frozen leaves the scalar gradients', () => {
    const result = grad({ queries: false, keys: false, hardNegatives: false });
    expect(result.logitScaleGrad).toBeCloseTo(both.logitScaleGrad, 7);
    expect(result.logitBiasGrad).toBeCloseTo(both.logitBiasGrad, 7);
    expect(result.hardNegativeGrads).toBeUndefined();
  });

  it(bank ? 'a bank after some keys leaves their gradients as they are' : 'a bank is refused', () => {
    for (const count of [1, 64, 449, 456]) {
      if (!bank) {
        expect(() => grad({ keys: { rows: count } })).toThrow('all keys or none');
        continue;
      }
      const result = grad({ keys: { rows: count } });
      expect(result.keyGrads).toEqual(both.keyGrads.subarray(0, count * dim));
      expect(result.queryGrads).toEqual(both.queryGrads);
    }
  });

  it('a frozen side saves its product', () => {
    expect(grad({ keys: false }).stats.flops).toBeLessThan(both.stats.flops);
    expect(grad({ queries: false }).stats.flops).toBeLessThan(both.stats.flops);
  });
});
