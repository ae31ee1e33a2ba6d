/**
 * Where people read which objectives take an option: the comments of the types, and docs/api.md. Both against
 * the table.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { objectiveNames, optionNames, rulesOf, takers } from '../../lib/loss/objectives';

const read = (...path: string[]) => readFileSync(join(__dirname, '..', '..', ...path), 'utf8');

/** The objectives that a text names, in the order of the table. */
const namedIn = (text: string) => objectiveNames.filter((name) => new RegExp(`\\b${name}\\b`).test(text));

const source = read('lib', 'loss', 'options.ts');
const comments = new Map(
  ['CommonOptions', 'ObjectiveOptions'].flatMap((name) => {
    const [body] = source.split(`export interface ${name} {\n`)[1]!.split('\n}\n');
    const members = [...body!.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+)\?:/gs)];
    return members.map(
      ([, comment, option]) => [option!, comment!.replace(/\s*\*?\s+/g, ' ').trim()] as const,
    );
  }),
);

const cells = read('docs', 'api.md')
  .split('\n')
  .filter((line) => /^\| `/.test(line))
  .map((line) => line.split(' | '))
  .filter((row) => row.length === 4);
const columns = new Map(
  cells.flatMap(([names, , , objectives]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, option]) => [option!, objectives!] as const),
  ),
);

const common = optionNames.filter(
  (name) => name !== 'objective' && !takers.some(([option]) => option === name),
);

it.each(takers)('%s: comment and page name who takes it', (option, objectives) => {
  expect(namedIn(comments.get(option)!)).toEqual(objectives);
  expect(namedIn(columns.get(option)!)).toEqual(objectives);
});

it.each(common)('%s: its comment says that every objective takes it', (option) => {
  expect(comments.get(option)).toMatch(/^All objectives\. /);
});

it.each([
  ['options.ts', 'objective?: Objective'],
  ['loss-functions.ts', 'contrastiveLoss<O extends'],
])('%s describes every objective', (file, documented) => {
  const described = read('lib', 'loss', file)
    .split('/**')
    .map((text) => text.split('*/'))
    .filter(([, code]) => code?.trim().startsWith(documented))
    .map(([comment]) => namedIn(comment!));
  expect(described).toContainEqual(objectiveNames);
});

it('pages and comments name no other options', () => {
  expect([...comments.keys()].sort()).toEqual(optionNames.filter((name) => name !== 'objective').sort());
  const known = new Set<string>(optionNames);
  expect([...columns.keys()].filter((name) => !known.has(name))).toEqual([]);
});

it('an objective takes what it requires', () => {
  for (const name of objectiveNames) {
    const { takes, requires } = rulesOf(name);
    expect(requires.filter((option) => !takes.includes(option))).toEqual([]);
  }
});
