/** docs/store.md: every example runs as it stands, and prints what its comments say. */
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const examples = examplesOf('docs/store.md');
const outputOfExample = (name: string) =>
  outputOf(withoutTypes(examples.find(({ code }) => code.includes(name))!.code));

it('has examples of reading and of gradients', async () => {
  expect(await outputOfExample('texts.safetensors')).toMatch(/^\d+\.\d+ \[ 200, 16 \] \[ 2, 16 \]\n$/);
  expect(await outputOfExample('grads.safetensors')).toBe('1024 0 [ 64, 16 ]\n');
});

it('writes features of an encoder', async () => {
  expect(await outputOfExample('into: writer')).toBe('[ 4, 3 ]\n');
});

it('goes from features to a store and back', async () => {
  const lines = (await outputOfExample('await writer.append(encode(first, 250), { ids })')).split('\n');
  expect(lines).toEqual([
    '[ 1000, 64 ] float32 1000',
    expect.stringMatching(/^\d+\.\d{3}$/),
    '[ 2, 64 ]',
    '',
  ]);
});
