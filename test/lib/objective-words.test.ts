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

/** The options in the tables of docs/api.md between two headings. */
const page = read('docs', 'api.md');
function optionsUnder(heading: string): string[] {
  const [, section] = page.split(`\n### ${heading}\n`);
  const rows = section!.split(/^##/m)[0]!.split('\n');
  const names = rows.filter((line) => /^\| `/.test(line)).map((line) => line.split(' | ')[0]!);
  return names.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, option]) => option!));
}
const tables = new Map(objectiveNames.map((name) => [name, optionsUnder(`Objective \`${name}\``)]));

const common = optionNames.filter(
  (name) => name !== 'objective' && !takers.some(([option]) => option === name),
);

it.each(takers)('%s: its comment names who takes it', (option, objectives) => {
  expect(namedIn(comments.get(option)!)).toEqual(objectives);
});

it.each(objectiveNames)('%s: its table on the page has the options that it takes', (name) => {
  expect([...tables.get(name)!].sort()).toEqual([...rulesOf(name).takes].sort());
});

it('the page has the other options in tables for every objective', () => {
  const sections = ['Every objective', 'What is returned', 'How it is done'];
  expect(sections.flatMap(optionsUnder).sort()).toEqual(['objective', ...common].sort());
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

it('comments name no other options', () => {
  expect([...comments.keys()].sort()).toEqual(optionNames.filter((name) => name !== 'objective').sort());
});

it('the table of forms names options only', () => {
  const known = new Set<string>(optionNames);
  expect(optionsUnder('Forms of these options').filter((name) => !known.has(name))).toEqual([]);
});

it('an objective takes what it requires', () => {
  for (const name of objectiveNames) {
    const { takes, requires } = rulesOf(name);
    expect(requires.filter((option) => !takes.includes(option))).toEqual([]);
  }
});
