/**
 * docs/api.md and device-matrix.md against the code: every example runs as it stands, every option and function is
 * there, and no entry of a table is as long as a paragraph.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as infcl from '../../lib';
import { examplesOf, outputOf, withoutTypes } from './examples';
import { thrownBy } from './fake-binding';

const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
const examples = [...text.matchAll(/^## ([^\n]*)\n(?:(?!^## ).)*?^```(?:js|ts)\n(.*?)^```$/gms)].map(
  ([, group, code]) => [group!, withoutTypes(code!)] as const,
);

it('has an example for each group', () => {
  expect(examples.map(([group]) => group)).toEqual([
    'Features',
    'Loss and gradients',
    'Options',
    'Before you pay',
    'Chunked backbone',
    'jax-js',
    'TensorFlow.js',
    'Errors',
  ]);
  expect(text.match(/^```(js|ts)$/gm)).toHaveLength(examples.length);
});

it.each(examples)('the example of "%s" runs and says something', async (_, code) => {
  expect(await outputOf(code)).toMatch(/\S/);
});

it('examples print what their comments say', async () => {
  const output = async (group: string) => outputOf(examples.find(([name]) => name === group)![1]);
  expect(Number(await output('Features'))).toBeCloseTo(0.1269, 4);
  expect(await output('Errors')).toBe('Unknown name logitscale in options; did you mean logitScale?\n');
});

it('the example of a matrix on a device runs, or says why not', async () => {
  const [example, ...others] = examplesOf('docs/device-matrix.md').map(({ code }) => code);
  expect(others).toEqual([]);
  expect(await outputOf(example!)).toMatch(/\S/);
});

it('entries of its tables are short', () => {
  // the table of groups comes first, and lists names
  const sections = text.slice(text.indexOf('\n## '));
  const entries = sections.split('\n').flatMap((line) => (line.startsWith('|') ? line.split(' | ') : []));
  expect(entries.length).toBeGreaterThan(100);
  expect(entries.filter((entry) => entry.length > 200)).toEqual([]);
});

it('names every function and every option', () => {
  for (const name of Object.keys(infcl)) expect(text).toContain(`\`${name}`);
  const one = { data: new Float32Array(1), shape: [1, 1] } as const;
  const { message } = thrownBy(() => infcl.contrastiveLossSync(one, one, { qqqqqqqqqqqqqqq: 1 } as object));
  const options = message.split('known are ')[1]!.split(', ');
  expect(options.length).toBeGreaterThan(20);
  for (const name of options) expect(text).toMatch(new RegExp(`^\\| [^|]*\`${name}\``, 'm'));
});
