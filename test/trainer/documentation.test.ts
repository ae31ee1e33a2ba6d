/**
 * docs/trainer.md against the code: every complete example runs as it stands, and prints what its
 * comment says.
 */
import { examplesOf, lossesIn, outputOf, withoutTypes } from '../lib/examples';

const examples = examplesOf('docs/trainer.md')
  .map(({ code }) => withoutTypes(code))
  .filter((code) => code.includes('import '));

const containing = (words: string) => {
  const found = examples.filter((code) => code.includes(words));
  expect(found).toHaveLength(1);
  return found[0]!;
};

it('has these examples', () => expect(examples).toHaveLength(3));

it('the loss of a linear encoder falls', async () => {
  const losses = lossesIn(await outputOf(containing('function linearEncoder')));
  expect(losses.length).toBeGreaterThan(2);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
});

it.each([
  ['unit length', 'lengthOf'],
  ['negatives, a bank and a learnable temperature', 'frozen: bank'],
])('the loss of %s falls, as its comment says', async (_, words) => {
  expect(await outputOf(containing(words))).toBe('true\n');
});
