/**
 * Trains the dictionary demo in one process and on several ranks, with the same seed and batches, and draws both loss
 * curves into docs/ranks-curve.svg:
 *
 *   node scripts/ranks-curve.mjs [--ranks 4] [--mpi "Open MPI"|MPICH] [--out FOLDER] [flags of the demo]
 *
 * Flags that it does not know go to the demo; `--quick` always does. Exit status 1 where the losses differ by more
 * than rounding, 77 where the launcher is missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchers } from './mpi/launchers.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Relative difference of two losses. Rounding of float32 grows while the model trains. */
const most = 1e-4;

const { values, tokens } = parseArgs({
  options: { ranks: { type: 'string' }, mpi: { type: 'string' }, out: { type: 'string' } },
  strict: false,
  tokens: true,
  allowPositionals: true,
});
const ownFlags = new Set(['ranks', 'mpi', 'out']);
const flags = tokens.flatMap((token) => {
  if (token.kind === 'positional') return [token.value];
  if (ownFlags.has(token.name)) return [];
  return [token.inlineValue ? `${token.rawName}=${token.value}` : token.rawName];
});
const ranks = Number(values.ranks ?? 4);
const name = values.mpi ?? 'Open MPI';
const folder = values.out ?? mkdtempSync(join(tmpdir(), 'infcl-ranks-'));
const launcher = launchers[name];
if (!Number.isSafeInteger(ranks) || ranks < 2)
  fail(`expected at least 2 for --ranks but received ${values.ranks}`);
if (launcher === undefined)
  fail(`expected one of ${Object.keys(launchers).join(', ')} for --mpi but received ${name}`);
if (spawnSync(launcher.program, ['--version']).error) {
  console.log(`NOT CHECKED: there is no ${launcher.program} (Debian: apt-get install ${launcher.package})`);
  process.exit(77);
}

function fail(text, status = 2) {
  console.error(`ranks-curve: ${text}`);
  process.exit(status);
}

function runDemo(what, command, more) {
  const out = join(folder, what);
  const demo = [join('examples', 'dist', 'demo.js'), '--quick', ...flags, ...more, '--out', out];
  const [program, ...args] = [...command, process.execPath, ...demo];
  console.log(`ranks-curve: ${what}: ${[program, ...args].join(' ')}`);
  const began = performance.now();
  const { status } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...launcher.env, INIT_CWD: undefined },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) fail(`the demo ended with status ${status}`, 1);
  console.log(`ranks-curve: ${what} took ${((performance.now() - began) / 1e3).toFixed(0)} s`);
  return JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
}

const { differences, ranksChart } = await import('../examples/dist/report/ranks-chart.js');
const one = runDemo('one', [], []);
const several = runDemo('several', [launcher.program, ...launcher.args(ranks)], ['--ranks', 'mpi']);
const largest = Math.max(...differences(one, several));
writeFileSync(join(root, 'docs', 'ranks-curve.svg'), ranksChart(one, several));
const recalls = [one, several].map(({ model }) => `${(100 * model.recallAt1).toFixed(2)} %`);
console.log(
  `ranks-curve: ${several.history.steps.length} steps, largest relative difference ${largest.toExponential(1)}`,
);
console.log(`ranks-curve: recall@1 ${recalls.join(' and ')}`);
if (!(largest <= most)) fail(`the losses differ by more than ${most}`, 1);
