/** docs/tfjs.md against the code: every example runs as it stands, and losses fall. */
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const examples = examplesOf('docs/tfjs.md').map(({ code }) => withoutTypes(code));

const containing = (words: string) => {
  const found = examples.filter((code) => code.includes(words));
  expect(found).toHaveLength(1);
  return found[0]!;
};

it('has these examples', () => expect(examples).toHaveLength(4));

it.each([
  ['minimize', 'optimizer.minimize'],
  ['model.fit', 'model.fit'],
  ['chunks', 'chunkedStep({'],
])('the loss of %s falls', async (_, words) => {
  const output = await outputOf(containing(words));
  const losses = [...output.matchAll(/^(?:step|epoch) \d+: loss ([\d.]+)$/gm)].map(([, loss]) =>
    Number(loss),
  );
  expect(losses.length).toBeGreaterThan(3);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  const evaluated = /^evaluated: ([\d.]+)$/m.exec(output)?.[1];
  if (words === 'model.fit') expect(Number(evaluated)).toBeLessThan(losses[0]!);
});

it('wasm: the output is that of the comment', async () => {
  expect(await outputOf(containing('setWasmPaths(`'))).toBe('wasm 0.313262\n');
});
