/** The case `top-k` of the bench works: small shapes, whose figures mean nothing. The check of peers refuses other results. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runBench } from './run-bench';

const root = join(__dirname, '..', '..');
const possible = process.platform === 'linux' && availableParallelism() >= 2;
if (!possible) console.warn('the case needs Linux and two processors: SKIPPED on this machine');

(possible ? it : it.skip)(
  'measures topK beside the loss, and beside the product where OpenBLAS is',
  async () => {
    const { rows, skipped, failed } = await runBench('top-k');
    expect(failed).toBeUndefined();
    const shape = 'M 256, N 3000, D 64';
    const labels = rows.map(({ label }) => label);
    expect(labels.slice(0, 2)).toEqual([10, 100].map((k) => `${shape}, k ${k}, beside the loss alone`));
    // one row or one reason
    expect(labels.length + skipped.length).toBe(3);
    for (const { label, cells } of rows) {
      for (const figure of ['ours s', 'other s', 'ratio']) {
        expect([label, figure, Number(cells[figure]) > 0]).toEqual([label, figure, true]);
      }
    }
  },
);

/** infcl's own result, changed, as the result of a peer. */
function differenceAfter(change: string): string {
  const compiled = pathToFileURL(join(root, 'bench', 'dist')).href;
  const source = `
    import { searchDifference } from '${compiled}/search.js';
    const ours = { indices: Int32Array.of(4, 2, 7, 1), scores: Float32Array.of(3, 2, 5, 4), shape: [2, 2] };
    const theirs = { keys: BigInt64Array.from(ours.indices, BigInt), scores: ours.scores.slice() };
    ${change};
    console.log(searchDifference(theirs, ours));
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  return stdout.trim();
}

it.each([
  ['nothing', '', '0'],
  ['another score', 'theirs.scores[2] = 5.5', '0.1'],
  ['another key', 'theirs.keys[1] = 5n; theirs.scores[1] = 2.5', 'Infinity'],
  ['another key that scores as the last one', 'theirs.keys[1] = 5n', '0'],
  ['a key twice', 'theirs.keys[1] = 4n', 'Infinity'],
  ['fewer keys', 'theirs.keys = theirs.keys.slice(1)', 'Infinity'],
])('the difference of a search with %s', (_, change, difference) => {
  expect(differenceAfter(change)).toBe(difference);
});
