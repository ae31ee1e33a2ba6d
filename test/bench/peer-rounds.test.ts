/** A peer of the bench must do the same job as infcl, and a peer that is not installed is named with the command. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '..', '..');
const linux = process.platform === 'linux';
if (!linux) console.warn('peak memory is measured through /proc: SKIPPED on this platform');

/** Runs a module that imports compiled files of the bench, which `npm run build ts` makes. */
function runModule(source: string, input = '') {
  const compiled = pathToFileURL(join(root, 'bench', 'dist')).href;
  const args = ['--input-type=module', '-e', source.replaceAll('BENCH', compiled)];
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', input });
}

/** infcl's own results as a peer, after `change` of them. */
const peer = (change: string) => `
  import { contrastiveLossAndGradSync } from 'infcl';
  import { servePeer } from 'BENCH/peer-rounds.js';
  import { unitRows } from 'BENCH/unit-rows.js';
  const [rows, dim, scale] = [16, 8, 10];
  const [queries, keys] = [unitRows(rows, dim, 1), unitRows(rows, dim, 2)];
  const matrix = (data) => ({ data, shape: [rows, dim] });
  function call() {
    const results = { ...contrastiveLossAndGradSync(matrix(queries), matrix(keys), { logitScale: scale }) };
    ${change};
    return results;
  }
  await servePeer({ version: '1', queries, keys, dim, scale, call });
`;

(linux ? describe : describe.skip)('a peer that computes', () => {
  it('the same is ready, and answers each line with seconds', () => {
    const { stdout, status } = runModule(peer(''), '{}\n{}\n');
    const [ready, ...seconds] = stdout.trim().split('\n');
    expect(status).toBe(0);
    expect(JSON.parse(ready.replace(/^ready /, ''))).toMatchObject({ version: '1', difference: 0 });
    expect(seconds).toHaveLength(2);
    for (const answer of seconds) expect(Number(answer)).toBeGreaterThan(0);
  });

  it.each([
    ['another loss', 'results.loss *= 1.0001'],
    ['another query gradient', 'results.queryGrads[5] += 1e-3'],
    ['another key gradient', 'results.keyGrads[127] += 1e-3'],
    ['NaN', 'results.keyGrads[3] = NaN'],
  ])('%s is refused', (_, change) => {
    const { stdout, stderr, status } = runModule(peer(change));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/differs from infcl by .*: not the same job/);
  });
});

it('ONNX Runtime that is not there is unavailable, by the command that installs it', () => {
  const { stdout } = runModule(`
    import { findOnnxRuntime, Unavailable } from 'BENCH/toolchain.js';
    import { tmpdir } from 'node:os';
    try { findOnnxRuntime(tmpdir() + '/package.json'); } catch (error) {
      console.log(error instanceof Unavailable, error.message);
    }
  `);
  expect(stdout).toBe('true ONNX Runtime is not installed: npm run hosts\n');
});
