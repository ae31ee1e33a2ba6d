/** docs/jax.md against the code: its examples run as they stand, and its optimiser is the one that is tested. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOf, lossesIn, outputOf, withoutTypes } from '../lib/examples';

const examples = examplesOf('docs/jax.md').map(({ code }) => code);
const [loop, accumulation] = examples;

it('has these examples', () => expect(examples).toHaveLength(2));

it('the loss of the training loop falls', async () => {
  const losses = lossesIn(await outputOf(withoutTypes(loop!)));
  expect(losses).toHaveLength(6);
  // unrelated towers begin at log(1024) = 6.93 or above
  expect(losses[0]).toBeGreaterThan(6);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
});

it('the optimiser of the training loop is the one of the examples', () => {
  const file = readFileSync(join(__dirname, '../../examples/src/train/adamw-jax.ts'), 'utf8');
  const code = file
    .slice(file.indexOf('*/') + 2)
    .replace(/^export /gm, '')
    .trim();
  expect(code).toMatch(/^function adamW\($/m);
  expect(loop!.trimEnd().endsWith(code)).toBe(true);
});

it('gradients of several steps have the shape that the comment says', async () => {
  expect(await outputOf(withoutTypes(accumulation!))).toBe('[ 8, 4 ]\n');
});
