/** The metrics of features against PyTorch in float64: make-feature-goldens.py has the inputs and the equations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  alignment,
  type ClassMetrics,
  effectiveRank,
  linearProbe,
  modalityGap,
  uniformity,
  zeroShotAccuracy,
} from '../../lib';
import { unitRows } from '../reference/features';
import { type FloatMatrix, unit } from '../reference/inputs';

type Recipe = Record<'rows' | 'dim' | 'classes' | 'seed' | 'l2' | 't' | 'alpha', number>;

interface Golden {
  recipe: Recipe;
  expected: Record<
    'alignment' | 'uniformity' | 'gap' | 'centroidCosine' | 'effectiveRank' | 'probeLoss',
    number
  > &
    Record<'zeroShot' | 'probe', ClassMetrics>;
}

const text = readFileSync(join(__dirname, 'features.golden.json'), 'utf8');
const cases = (JSON.parse(text) as { cases: Golden[] }).cases;

/** As `compute` of the script. Sums of two fractions of 16 bits are exact in float32. */
function inputs({ rows, dim, classes, seed }: Recipe) {
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  const around = (noiseSeed: number): FloatMatrix => ({
    data: Float32Array.from({ length: rows * dim }, (_, at) => {
      const centre = unit(seed + 1, labels[Math.floor(at / dim)] * dim + (at % dim));
      return unit(noiseSeed, at) + centre;
    }),
    shape: [rows, dim],
  });
  const centres = Float32Array.from({ length: classes * dim }, (_, at) => unit(seed + 1, at));
  return {
    x: around(seed),
    y: around(seed + 2),
    centres: { data: centres, shape: [classes, dim] },
    labels,
  };
}

it('has cases', () => expect(cases.length).toBeGreaterThan(2));

describe.each(cases)('against PyTorch, $recipe.rows rows, $recipe.dim features', ({ recipe, expected }) => {
  const { x, y, centres, labels } = inputs(recipe);
  const [a, b] = [unitRows(x), unitRows(y)];
  const near = (value: number, wanted: number, bound: number) =>
    expect(Math.abs(value - wanted)).toBeLessThan(bound);

  it('alignment', async () => near(await alignment(a, b, { alpha: recipe.alpha }), expected.alignment, 1e-6));

  it('uniformity', async () => near(await uniformity(a, { t: recipe.t }), expected.uniformity, 3e-6));

  it('modalityGap', async () => {
    const { gap, centroidCosine } = await modalityGap(a, b);
    near(gap, expected.gap, 1e-6);
    near(centroidCosine, expected.centroidCosine, 1e-6);
  });

  it('effectiveRank', async () => near(await effectiveRank(x), expected.effectiveRank, 1e-9));

  it('zeroShotAccuracy', async () => {
    const metrics = await zeroShotAccuracy(x, centres, labels);
    for (const [name, value] of Object.entries(expected.zeroShot)) {
      expect(metrics[name as keyof ClassMetrics]).toBeCloseTo(value, 12);
    }
  });

  it('linearProbe', async () => {
    const probe = await linearProbe(x, labels, x, labels, { l2: recipe.l2 });
    expect(probe.converged).toBe(true);
    near(probe.loss, expected.probeLoss, 1e-6);
    for (const [name, value] of Object.entries(expected.probe)) {
      expect(probe[name as keyof ClassMetrics]).toBeCloseTo(value, 12);
    }
  });
});
