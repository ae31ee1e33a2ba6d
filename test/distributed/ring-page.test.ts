/** docs/ring.md against the code: its example prints what its comments say, and it names every function. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as distributed from '../../lib/distributed';
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'ring.md'), 'utf8');
const [example, ...more] = examplesOf('docs/ring.md').map(({ code }) => withoutTypes(code));

it('has one example, which prints what its comments say', async () => {
  expect(more).toEqual([]);
  const lines = example!.match(/console\.log.*/g)!.map((line) => line.split(' // ')[1]);
  expect(lines).toHaveLength(2);
  expect(await outputOf(example!)).toBe(`${lines.join('\n')}\n`);
});

it('names every function', () => {
  for (const name of Object.keys(distributed)) expect(page).toContain(`\`${name}(`);
});
