/** docs/retrieval.md against the code: the program runs at a small size, and mined negatives make the better model. */
import { examplesOf, outputOf, withoutTypes } from '../lib/examples';

const [{ code }, ...others] = examplesOf('docs/retrieval.md');
const size = 'seed] = [8192, 512, 3, 2, 4, 0];';

it('has one program, whose size is its first line', () => {
  expect(others).toEqual([]);
  expect(code.split(size)).toHaveLength(2);
});

it('a model that trains on mined negatives finds more than one that trains on random ones', async () => {
  // about 20 s of a processor, and two minutes on a machine that is busy with other work
  const output = await outputOf(withoutTypes(code.replace(size, 'seed] = [4096, 256, 3, 2, 4, 0];')));
  const lines = [...output.matchAll(/^([a-z ]+): accuracy@1 (\S+), accuracy@10 (\S+), MRR@10 (\S+)$/gm)];
  expect(lines.map(([, name]) => name)).toEqual(['trained', 'random negatives', 'mined negatives']);
  const [trained, random, mined] = lines.map(([, , , , mrr]) => Number(mrr));
  expect(random).toBeGreaterThan(trained);
  expect(mined).toBeGreaterThan(random);
}, 600_000);
