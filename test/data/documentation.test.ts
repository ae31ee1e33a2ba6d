/**
 * docs/data.md, batches.md and first-encoder.md against the code: examples print what their comments say, and the
 * guide trains a model that finds what it has never seen, whatever the seed.
 */

import * as data from '../../lib/data';
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const examples = ['docs/data.md', 'docs/batches.md']
  .flatMap(examplesOf)
  .map(({ code }) => withoutTypes(code));

it('names every function', () => {
  expect(examples).toHaveLength(6);
  const used = Object.keys(data).filter((name) => examples.some((code) => code.includes(`${name}(`)));
  // those of chunkedStep are in the guide
  expect(used.sort()).toEqual(['openDataset', 'pairIds', 'splitDataset', 'textBatches', 'textIds']);
});

it.each(examples.map((code) => [code.match(/.*console\.log.*/g)!.at(-1)!, code]))(
  '%s',
  async (line, code) => {
    const expected = line.split(' // ').at(-1);
    expect(await outputOf(code)).toContain(`${expected}\n`);
  },
);

describe('the first encoder', () => {
  const [guide, ...more] = examplesOf('docs/first-encoder.md').map(({ code }) => withoutTypes(code));
  const withSeed = (seed: number) => guide!.replace('const seed = 0;', `const seed = ${seed};`);

  it('is one program, whose seed can be changed', () => {
    expect(more).toEqual([]);
    expect(withSeed(5)).not.toBe(guide);
  });

  it.each([0, 1, 2, 3, 4])('finds the numbers that it has never seen, seed %i', async (seed) => {
    const [, untrained, trained] = (await outputOf(withSeed(seed))).match(
      /^untrained: ([\d.]+)\ntrained: ([\d.]+)\n$/,
    )!;
    expect(Number(untrained)).toBeLessThan(0.1);
    expect(Number(trained)).toBeGreaterThan(0.9);
  });
});
