/** The dictionary demo on ranks under a real MPI, against the demo in one process: the same losses but for rounding. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two chunks a batch, one for each rank; small enough for a busy machine. */
const flags = ['--quick', '--threads', '1', '--batch', '1100', '--steps', '3'];

const lossesIn = (folder) =>
  JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')).history.steps.map(({ loss }) => loss);

/** A scenario: a function that returns complaints. */
export async function demoOnRanks({ run, runAlone }) {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-demo-'));
  try {
    const pairs = Array.from({ length: 1500 }, (_, i) => `left ${i}\tright ${(i * 7) % 1500}`);
    writeFileSync(join(folder, 'pairs.tsv'), pairs.join('\n'));
    const command = (out, ...more) => [
      ...[process.execPath, 'examples/dist/demo.js', ...flags, ...more],
      ...['--data', join(folder, 'pairs.tsv'), '--out', join(folder, out)],
    ];
    const runs = [await runAlone(command('one')), await run(2, command('two', '--ranks', 'mpi'))];
    // three steps of a made-up language may not beat chance: then the demo says so and ends with 1
    const unfinished = runs.find(({ hung, output }) => hung || !/^Report: /m.test(output));
    if (unfinished) return [`status ${unfinished.status}: ${unfinished.output.slice(-1500)}`];
    const complaints = [];
    const [one, two] = ['one', 'two'].map((out) => lossesIn(join(folder, out)));
    const far = two.some((loss, i) => !(Math.abs(loss / one[i] - 1) < 1e-5));
    if (far || one.length !== 3 || two.length !== 3) complaints.push(`losses ${two}, not ${one}`);
    const lines = runs[1].output.match(/^Training: /gm)?.length;
    if (lines !== 1) complaints.push(`${lines} ranks print, not one`);
    const files = readdirSync(join(folder, 'two')).join();
    if (files !== 'checkpoint.bin,report.html,report.json') complaints.push(`files: ${files}`);
    return complaints;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
