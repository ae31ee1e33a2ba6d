/**
 * docs/evaluation.md, search.md and mining.md against the code: every example runs as it stands, and prints what its
 * comment says.
 */
import * as evaluation from '../../lib/evaluation';
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const examples = ['docs/evaluation.md', 'docs/search.md', 'docs/mining.md']
  .flatMap(examplesOf)
  .map(({ code }) => withoutTypes(code));

/** What the comment after the last console.log promises. */
const promised = (code: string) => code.match(/console\.log\(.*\); \/\/ (.*)\n$/)?.[1];

it('has an example with each function', () => {
  const all = examples.join('\n');
  for (const name of Object.keys(evaluation)) expect(all).toMatch(new RegExp(`\\b${name}\\(`));
});

it.each(examples.map((code) => [promised(code), code]))('prints %s', async (expected, code) => {
  expect(expected).toMatch(/\S/);
  expect(await outputOf(code!)).toBe(`${expected}\n`);
});
