/**
 * The gradient filter, an opt-in approximation: on features that are all but solved it skips tiles, no row loses more
 * than the bound promises, and the loss is not its business. Where nothing is solved it changes no bit.
 */
import { contrastiveLossAndGradSync, type LossAndGradResult } from '../../lib';
import { makePair } from '../reference/inputs';
import { makeProblem, type Recipe } from '../reference/problems';

const rows = 1500;
const dim = 48;
const logitScale = 80;
const share = 1e-3;

/** Positives that are their queries, and nothing else near: the logits of other pairs are below -20. */
const solved = { objective: 'clip', rows, keys: rows, dim, logitScale, seed: 50, alike: 8 } as const;
const variants: [string, Recipe, perRow: number][] = [
  // how often a row meets the filter: once per pass over its side
  ['clip', solved, 1],
  ['infonce', { ...solved, objective: 'infonce' }, 1],
  ['ntxent', { ...solved, objective: 'ntxent' }, 2],
  ['siglip', { ...solved, objective: 'siglip', logitBias: -70 }, 1],
  ['clip with a guide', { ...solved, guide: { dim: 40, alike: 8 } }, 1],
  ['clip with a teacher', { ...solved, teacher: { dim: 40, alike: 8, logitScale: 80, weight: 1 } }, 1],
  ['clip with ids and weights', { ...solved, ids: 700, weights: true }, 1],
];

function rowNorms(a: Float32Array, b: Float32Array): number[] {
  return Array.from({ length: a.length / dim }, (_, i) => {
    let squares = 0;
    for (let at = i * dim; at < (i + 1) * dim; at++) squares += (a[at] - b[at]) ** 2;
    return Math.sqrt(squares);
  });
}

describe.each(variants)('%s', (_, recipe, passes) => {
  const { queries, keys, options } = makeProblem(recipe);
  const run = (gradientFilter: number, threads?: number): LossAndGradResult =>
    contrastiveLossAndGradSync(queries, keys, { ...options, gradientFilter, threads, perRow: true });
  const exact = run(0);
  const filtered = run(share);

  it('skips tiles and the products they would have cost', () => {
    expect(exact.stats.tilesSkipped).toBe(0);
    expect(filtered.stats.tilesSkipped).toBeGreaterThan(0);
    expect(filtered.stats.flops).toBeLessThan(exact.stats.flops);
  });

  it('leaves the loss, the rows and the scalar gradients alone', () => {
    for (const name of ['loss', 'accuracy', 'rows', 'logitScaleGrad', 'logitBiasGrad'] as const)
      expect(filtered[name]).toEqual(exact[name]);
  });

  it.each(['queryGrads', 'keyGrads'] as const)('drops no more of a row of %s than it may', (name) => {
    // a row's |g| left out sum to share * s * weight, and each meets a feature no longer than one
    const total = options.queryWeights?.reduce((sum, weight) => sum + weight, 0) ?? rows;
    const allowed = (passes * share * logitScale) / total;
    const lost = Math.max(...rowNorms(filtered[name], exact[name]));
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThanOrEqual(allowed * (1 + 1e-3));
  });

  it('gives the same bits on any number of threads', () => {
    const { stats: _one, ...one } = run(share, 1);
    const { stats: _five, ...five } = run(share, 5);
    expect(five).toEqual(one);
  });
});

it('finds nothing to skip in features that nothing has been learnt from', () => {
  const { queries, keys } = makePair({ rows, dim, seed: 60, alike: 0 });
  const { stats, ...filtered } = contrastiveLossAndGradSync(queries, keys, { gradientFilter: share });
  const { stats: _, ...exact } = contrastiveLossAndGradSync(queries, keys, {});
  expect(stats.tilesSkipped).toBe(0);
  expect(filtered).toEqual(exact);
});
