/**
 * The pages about training steps against the code: every complete example runs as it stands, and prints what its
 * comments say.
 */
import { examplesOf, lossesIn, outputOf, withoutTypes } from '../lib/examples';

/** The complete examples of a page. */
const completeOf = (page: string) =>
  examplesOf(page)
    .map(({ code }) => withoutTypes(code))
    .filter((code) => code.includes('import '));

const containing = (examples: string[], words: string) => {
  const found = examples.filter((code) => code.includes(words));
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe('docs/trainer.md', () => {
  const examples = completeOf('docs/trainer.md');

  it('has these examples', () => expect(examples).toHaveLength(2));

  it('the loss of a linear encoder falls', async () => {
    const losses = lossesIn(await outputOf(containing(examples, 'function linearEncoder')));
    expect(losses.length).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it('the loss of normalised rows falls, as its comment says', async () => {
    expect(await outputOf(containing(examples, 'normalize: true'))).toBe('true\n');
  });
});

describe('docs/pairs.md', () => {
  const examples = completeOf('docs/pairs.md');

  it('has these examples', () => expect(examples).toHaveLength(3));

  it('the loss of lists of positives, as the comment says', async () => {
    expect(await outputOf(containing(examples, 'const captions'))).toBe('0.0908 1\n');
  });

  it('the pairs that a guide finds are excluded, as the comment says', async () => {
    expect(await outputOf(containing(examples, 'guideQueries'))).toBe('1,0,0,1,2 2\n');
  });

  it('a guide leaves out the pairs that its comment names', async () => {
    const [loss, masked] = (await outputOf(containing(examples, 'const guide = {')))
      .trim()
      .split(' ')
      .map(Number);
    expect(loss).toBeGreaterThan(0);
    expect(masked).toBe(96);
  });
});

describe('docs/negatives.md', () => {
  const examples = completeOf('docs/negatives.md');

  it('has these examples', () => expect(examples).toHaveLength(2));

  it('one pair is masked, and the loss on triplets falls, as the comments say', async () => {
    expect(await outputOf(containing(examples, 'perQuery, ids'))).toBe('1\ntrue\n');
  });

  it('the loss of negatives, a bank and a learnable temperature falls, as its comment says', async () => {
    expect(await outputOf(containing(examples, 'frozen: bank'))).toBe('true\n');
  });
});

describe('docs/step-losses.md', () => {
  const examples = completeOf('docs/step-losses.md');

  it('has these examples', () => expect(examples).toHaveLength(2));

  it('the loss with a teacher falls, as its comment says', async () => {
    expect(await outputOf(containing(examples, 'const teacher'))).toBe('true\n');
  });

  it('each loss of its example falls', async () => {
    const lines = (await outputOf(containing(examples, 'sumOfLosses(['))).trim().split('\n');
    expect(lines.map((line) => line.split(': '))).toEqual([
      ['normalised', 'true'],
      ['a loss of your own', 'true'],
      ['a loss with a penalty', 'true'],
      ['a sum of losses', 'true'],
      ['prefixes', 'true'],
      ['one tower', 'true'],
      ['half a gradient', 'true'],
    ]);
  });
});
