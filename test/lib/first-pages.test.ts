/**
 * The pages that a newcomer reads first, README.md, docs/objectives.md and docs/hosts.md: examples run, and
 * figures are those of the library. test/hosts runs the table of docs/hosts.md.
 */
import { contrastiveLossSync } from '../../lib';
import { examplesOf, outputOf } from './examples';

it('README: the first call prints the loss that its comment promises', async () => {
  const [example, ...others] = examplesOf('README.md').map(({ code }) => code);
  expect(others).toEqual([]);
  const [loss, queries, keys] = (await outputOf(example!)).split(' ').map(Number);
  expect(loss).toBeCloseTo(8.7, 1);
  expect([queries, keys]).toEqual([4096 * 256, 4096 * 256]);
});

it('hosts: the answer of a service becomes features, with the loss that the comment promises', async () => {
  const [example, ...others] = examplesOf('docs/hosts.md').map(({ code }) => code);
  expect(others).toEqual([]);
  expect(Number(await outputOf(example!))).toBeCloseTo(Math.log(1 + Math.exp(-2)), 7);
});

it('objectives: with a learnt scale the loss falls, and the scale changes within its limit', async () => {
  const [example, ...others] = examplesOf('docs/objectives.md').map(({ code }) => code);
  expect(others).toEqual([]);
  const lines = (await outputOf(example!)).trim().split('\n');
  const [first, , last] = lines.map((line) => line.match(/[\d.]+/g)!.map(Number));
  expect(lines).toHaveLength(3);
  expect(first![2]).toBe(14.3);
  expect(last![0]).toBeLessThan(first![0]! / 10);
  expect(last![2]).toBeGreaterThan(first![2]! + 1);
  expect(last![2]).toBeLessThanOrEqual(100);
});

describe('objectives: first losses of rows that know nothing of each other', () => {
  const [rows, dim] = [2048, 256];
  /** Rows of length 1 that point anywhere: normal numbers from a generator with a seed. */
  function unitRows(seed: number) {
    let state = seed;
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const data = Float32Array.from({ length: rows * dim }, normal);
    for (let begin = 0; begin < data.length; begin += dim) {
      const row = data.subarray(begin, begin + dim);
      const length = Math.hypot(...row);
      row.set(row.map((x) => x / length));
    }
    return { data, shape: [rows, dim] as const };
  }
  const [queries, keys] = [unitRows(1), unitRows(2)];
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 100);
  const spread = (scale: number) => scale ** 2 / (2 * dim);

  it.each([
    ['clip', { objective: 'clip' }, Math.log(rows) + spread(1 / 0.07)],
    ['infonce', { objective: 'infonce' }, Math.log(rows) + spread(1 / 0.07)],
    ['ntxent', { objective: 'ntxent', logitScale: 10 }, Math.log(2 * rows - 1) + spread(10)],
    ['supcon', { objective: 'supcon', logitScale: 10, labels }, Math.log(2 * rows - 1) + spread(10)],
    ['siglip', { objective: 'siglip', logitScale: 10 }, 10 + rows / 22_000],
  ] as const)('%s', (_, options, expected) => {
    const { loss } = contrastiveLossSync(queries, keys, options);
    expect(Math.abs(loss - expected)).toBeLessThan(0.1);
  });
});
