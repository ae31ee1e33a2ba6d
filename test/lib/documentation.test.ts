/** docs/api.md against the code: every example runs as it stands, every option and function is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as infcl from '../../lib';
import { outputOf, withoutTypes } from './examples';
import { thrownBy } from './fake-binding';

const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
const examples = [...text.matchAll(/^## ([^\n]*)\n(?:(?!^## ).)*?^```(?:js|ts)\n(.*?)^```$/gms)].map(
  ([, group, code]) => [group!, withoutTypes(code!)] as const,
);

it('has an example for each group', () => {
  expect(examples.map(([group]) => group)).toEqual([
    'Features',
    'Features on a device',
    'Loss and gradients',
    'Options',
    'Before you pay',
    'Chunked backbone',
    'Evaluation',
    'Data',
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
  expect(await output('Evaluation')).toBe("{ '1': 0.5, '2': 1 }\n");
  expect(await output('Errors')).toBe('Unknown name logitscale in options; did you mean logitScale?\n');
});

it('names every function and every option', () => {
  for (const name of Object.keys(infcl)) expect(text).toContain(`\`${name}`);
  const one = { data: new Float32Array(1), shape: [1, 1] } as const;
  const { message } = thrownBy(() => infcl.contrastiveLossSync(one, one, { qqqqqqqqqqqqqqq: 1 } as object));
  const options = message.split('known are ')[1]!.split(', ');
  expect(options.length).toBeGreaterThan(20);
  for (const name of options) expect(text).toMatch(new RegExp(`^\\| [^|]*\`${name}\``, 'm'));
});
