/** Sums of losses on one encode: against finite differences of the dense sum. */
import { type LossTerm, type StepProgress, sumOfLosses } from '../../lib/trainer';
import { thrownBy } from '../lib/fake-binding';
import { type DenseOptions, denseLossAndGrad } from '../reference/dense';
import { slopesOf } from '../reference/slopes';
import { expectClose, featureDim } from './toy-encoder';
import {
  denseFeatures,
  inputs,
  matrixOf,
  type Name,
  names,
  perQuery,
  rows,
  toyStep,
  toys,
  toyWeights,
} from './toy-step';

/** A step whose loss is a function. */
const step = (loss: unknown, more: Parameters<typeof toyStep>[0] = {}) =>
  toyStep<Record<string, unknown> & { loss: number }>({ ...more, loss });

describe('sumOfLosses', () => {
  const ids = Int32Array.from({ length: rows }, (_, i) => i % 7);
  const terms = [
    { weight: 0.75, logitScale: 5 },
    { weight: 2, objective: 'siglip', logitScale: 3, logitBias: -2 },
    { objective: 'infonce', logitScale: 2, queryIds: ids, keyIds: ids },
  ] as const satisfies readonly LossTerm[];

  /** The dense sum, and its slopes along the weights of the towers. */
  function dense(of: readonly (LossTerm & { weight?: number })[], hard: boolean) {
    const weights = toyWeights();
    const matrix = (name: Name) => matrixOf(denseFeatures(weights, name));
    const losses = () =>
      of.map(({ weight, ...options }) => {
        const hardNegatives = hard &&
          options.objective !== 'siglip' && { keys: matrix('hardNegatives'), perQuery };
        const given = { ...options, ...(hardNegatives && { hardNegatives }) } as DenseOptions;
        return denseLossAndGrad(matrix('queries'), matrix('keys'), given).loss;
      });
    const total = () => losses().reduce((sum, loss, i) => sum + (of[i]!.weight ?? 1) * loss, 0);
    const used = hard ? weights : weights.slice(0, 2);
    return { loss: total(), losses: losses(), slopes: slopesOf(used, total) };
  }

  test.each([
    ['three terms', terms, false],
    ['three terms and hard negatives', terms, true],
    ['one term', terms.slice(0, 1), false],
    ['one term and hard negatives', terms.slice(2), true],
    ['a first term that takes no hard negatives', [terms[1], terms[0]], true],
  ])('%s: loss and gradients are those of the dense sum', async (_, of, hard) => {
    const towers = toys();
    const result = await step(sumOfLosses(of), { towers, hard });
    const expected = dense(of, hard);
    expect(Math.abs(result.loss - expected.loss) / expected.loss).toBeLessThan(1e-6);
    for (const [i, slopes] of expected.slopes.entries()) expectClose(towers[names[i]!].grads, slopes);
    const results = result.terms as { weight: number; loss: number; logitScaleGrad: number }[];
    expect(results.map(({ weight }) => weight)).toEqual(
      of.map((term) => (term as { weight?: number }).weight ?? 1),
    );
    for (const [i, { loss, logitScaleGrad }] of results.entries()) {
      expect(Math.abs(loss - expected.losses[i]!)).toBeLessThan(1e-5);
      expect(logitScaleGrad).not.toBe(0);
    }
    // each tower was encoded twice, whatever the number of terms
    expect(towers.queries.calls).toEqual(['encode 4', 'encode 7', 'backward 4', 'backward 7']);
  });

  test('a frozen tower gets no gradient, and the others theirs', async () => {
    const towers = toys();
    const encoder = { encode: (x: Float32Array) => towers.keys.encode(x) };
    await step(sumOfLosses(terms), { towers, keys: { encoder, chunks: () => [inputs.keys] } });
    expectClose(towers.queries.grads, dense(terms, false).slopes[0]!);
  });

  test('counts its scratch memory, and its progress runs once from 0 to 1', async () => {
    const seen: number[] = [];
    const result = await step(sumOfLosses(terms), {
      onProgress: ({ phase, fraction }: StepProgress) => phase === 'loss' && seen.push(fraction!),
    });
    const stats = (result.terms as { stats: { workspaceBytes: number } }[]).map(
      (term) => term.stats.workspaceBytes,
    );
    const gradients = 2 * rows * featureDim * 4;
    expect((result.cost as { loss: { bytes: number } }).loss.bytes).toBe(2 * gradients + Math.max(...stats));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(seen.filter((fraction) => fraction > 0.3 && fraction < 0.7).length).toBeGreaterThan(0);
  });

  test.each<[what: string, terms: unknown, code: string, message: string]>([
    ['no array', { logitScale: 2 }, 'ERR_TYPE', 'array of { weight, ...options } for terms'],
    ['an empty array', [], 'ERR_VALUE', 'at least one loss in terms'],
    ['a term that is no object', [5], 'ERR_TYPE', 'object for terms[0] but received 5'],
    ['a string for a weight', [{}, { weight: '1' }], 'ERR_TYPE', 'terms[1].weight'],
    ['an infinite weight', [{ weight: 1 / 0 }], 'ERR_VALUE', 'terms[0].weight'],
    ['a typo', [{ logitscale: 2 }], 'ERR_OPTION', 'did you mean logitScale?'],
    ['a bad option', [{}, { logitScale: -1 }], 'ERR_VALUE', 'for terms[1].logitScale'],
    [
      'an option of another objective',
      [{}, {}, { objective: 'siglip', labelSmoothing: 0.1 }],
      'ERR_VALUE',
      'terms[2].labelSmoothing',
    ],
    ...['grad', 'out', 'perRow', 'signal', 'onProgress', 'hardNegatives'].map(
      (name): [string, unknown, string, string] => [
        name,
        [{ [name]: {} }],
        'ERR_OPTION',
        `Unknown name ${name} in terms[0]`,
      ],
    ),
  ])('refuses %s when it is called', (_, given, code, message) => {
    expect(() => sumOfLosses(given as LossTerm[])).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('an option that does not fit the features names its term', async () => {
    const labels = Int32Array.of(0, 1);
    const run = step(sumOfLosses([{}, { objective: 'infonce', labels }]));
    await expect(run).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining('terms[1].labels'),
    });
    await expect(run).rejects.not.toMatchObject({ message: expect.stringContaining('options') });
  });

  test('an error of infcl that comes from a callback, or from the signal, is not renamed', async () => {
    const theirs = thrownBy(() => sumOfLosses([]));
    const onProgress = ({ phase }: StepProgress) => {
      if (phase === 'loss') throw theirs;
    };
    await expect(step(sumOfLosses([{}]), { onProgress })).rejects.toBe(theirs);
    const controller = new AbortController();
    const aborting = ({ phase }: StepProgress) => phase === 'loss' && controller.abort(theirs);
    const run = step(sumOfLosses([{}, {}]), { onProgress: aborting, signal: controller.signal });
    await expect(run).rejects.toBe(theirs);
  });

  test('hard negatives that no term takes are refused', async () => {
    const run = step(sumOfLosses([terms[1]]), { hard: true });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_VALUE',
      message: expect.stringContaining('takes hard negatives'),
    });
  });
});
