/**
 * scripts/ring-model.mjs: docs/scaling.md shows what the script prints, messages hide where the closed form says, and
 * bad numbers are refused. ring-bytes.test.ts holds the model's bytes against the engine's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '..', '..');
const script = join(root, 'scripts', 'ring-model.mjs');
const model = pathToFileURL(join(root, 'scripts', 'ring', 'model.mjs')).href;

const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });

/** What an expression over the exports of scripts/ring/model.mjs gives. */
const evaluate = (expression: string) =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import * as m from '${model}'; console.log(JSON.stringify(${expression}));`,
      ],
      { encoding: 'utf8' },
    ),
  );

it('docs/scaling.md has every table that the script prints', () => {
  const page = readFileSync(join(root, 'docs', 'scaling.md'), 'utf8');
  const tables = run().stdout.trim().split('\n\n');
  expect(tables).toHaveLength(5);
  for (const table of tables) expect(page).toContain(`\n\n${table}\n\n`);
});

it('docs/scaling.md and the script name the variable of the code', () => {
  const code = readFileSync(join(root, 'csrc', 'comm', 'mpi', 'group_thread.cpp'), 'utf8');
  expect(code).toContain('kRest{100}');
  expect(readFileSync(script, 'utf8')).toContain('rest: 100e-6');
});

describe('with fast agreements', () => {
  const assumed = '{ flops: 1e12, bandwidth: 1e9, latency: 0, handling: 0, rest: 0 }';
  const shape = (rows: number, ranks: number) =>
    `{ objective: 'clip', ranks: ${ranks}, pairs: ${rows * ranks}, dim: 512, dtype: 'float32' }`;
  const least = evaluate(`m.rowsThatHide(${shape(1, 1)}, ${assumed})`);

  it.each([8, 64])(
    'messages hide from the number of rows on that the closed form says, %i ranks',
    (ranks) => {
      // what comes home after the last visit hides behind nothing: of each pass, both pieces
      const [many, few] = evaluate(
        `[${2 * least}, ${least / 2}].map((rows) => m.modelEqual({ ...${shape(2, ranks)}, pairs: rows * ${ranks} }, ${assumed}))`,
      );
      const home = (2 * least * (12 + 4 * 512)) / 1e9;
      expect(many.notHidden).toBeGreaterThan(0.4 * home);
      expect(many.notHidden).toBeLessThan(1.01 * home);
      expect(few.notHidden).toBeGreaterThan(0.4 * few.compute);
      // 2 · D operations for each pair forward, 6 · D backward
      expect(many.compute / ((8 * 512 * 2 * least * 2 * least * ranks) / 1e12)).toBeCloseTo(1, 2);
    },
  );

  it('sends the whole batch once, whatever the number of ranks', () => {
    const [few, many] = evaluate(
      `[8, 512].map((ranks) => m.modelEqual({ ...${shape(2, 2)}, ranks, pairs: 2 ** 20 }, ${assumed}))`,
    );
    expect(many.sentBytes / few.sentBytes).toBeCloseTo(8 / 7, 1);
  });

  it('waits for the slowest rank of uneven shards', () => {
    const [even, uneven] = evaluate(
      `[[100, 100, 100], [50, 50, 200]].map((all) => m.modelCall(
        { objective: 'clip', dim: 8, shards: all.map((n) => ({ queries: n, keys: n })) }, ${assumed}))`,
    );
    expect(uneven.compute).toBeGreaterThan(even.compute);
  });
});

it('an agreement of one rank alone costs nothing, and more ranks cost more', () => {
  const timing = '{ handling: 1e-6, rest: 1e-4 }';
  const [alone, two, eight, nine, many] = evaluate(
    `[1, 2, 8, 9, 1024].map((ranks) => m.agreementSeconds(ranks, ${timing}))`,
  );
  expect(alone).toBe(0);
  expect(two).toBeCloseTo(1e-4 + 2e-6, 9);
  expect(eight).toBeCloseTo(1e-4 + 14e-6, 9);
  // a second round, in which one rank is at 8 ranks' distance
  expect(nine).toBeCloseTo(2e-4 + 16e-6, 9);
  // the fourth round is one message: 1,024 = 2 · 8³
  expect(many).toBeCloseTo(4e-4 + 44e-6, 9);
});

it("a call of one's own is called a model", () => {
  const { status, stdout } = run('call', '--ranks', '4', '--pairs', '65536', '--objective', 'ntxent');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^a model, nothing measured: ntxent, 65,536 pairs on 4 ranks\n/);
});

it.each([
  [['calls'], 'expected nothing or call, but received calls'],
  [['call', '--ranks', '0'], '--ranks takes a positive integer but received 0'],
  [['call', '--ranks', '2.5'], '--ranks takes a positive integer but received 2.5'],
  [['call', '--ranks', '5000'], '--ranks takes 4096 at most but received 5000'],
  [['call', '--pairs', '3', '--ranks', '4'], '--pairs takes one pair a rank at least but received 3'],
  [['call', '--gbits', 'fast'], '--gbits takes a positive number but received fast'],
  [['call', '--dtype', 'int8'], '--dtype takes one of bfloat16, float16, float32 but received int8'],
  [['call', '--objective', 'triplet'], '--objective takes one of clip, '],
  [['call', '--rank', '4'], "Unknown option '--rank'"],
])('refuses %p', (args, said) => {
  const { status, stderr } = run(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(said);
});
