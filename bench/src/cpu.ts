/**
 * npm run bench:cpu: runs the grid of cases one after another, prints a table after each, and writes all
 * of it as JSON. Comparisons are made within one run; figures of different runs or machines are not
 * compared here.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backends } from 'infcl';
import type { BenchCase, BenchContext } from './bench-case.js';
import { aloneCases } from './cases/alone.js';
import { fewRowsCases } from './cases/few-rows.js';
import { floorCases } from './cases/floor.js';
import { kernelCases } from './cases/kernels.js';
import { nodePeerCases } from './cases/node-peers.js';
import { optionCases } from './cases/options.js';
import { peakCases } from './cases/peak.js';
import { peerCases } from './cases/peers.js';
import { stepCases } from './cases/step.js';
import { topKCases } from './cases/top-k.js';
import { LineProcess } from './line-process.js';
import { commandLine, currentCommit } from './provenance.js';
import { type BenchReport, type CaseReport, isMet, printCase } from './report.js';
import { benchFolder, Unavailable } from './toolchain.js';
import { fmaPeak } from './yardsticks.js';

const allCases: BenchCase[] = [
  ...floorCases,
  ...peakCases,
  ...kernelCases,
  ...aloneCases,
  ...optionCases,
  ...fewRowsCases,
  ...stepCases,
  ...nodePeerCases,
  ...peerCases,
  ...topKCases,
];

const help = `npm run bench:cpu -- [--quick] [--only <case>]... [--huge] [--out <file.json>]

  --quick   small shapes and few rounds: shows that the bench works, its figures mean nothing
  --only    one case; may be given several times
  --huge    also B = 262,144, D = 64 (minutes)
  --out     default bench/results/<cpu>.json; with --quick nothing is written unless --out is given

Cases:
${allCases.map(({ name, title }) => `  ${name.padEnd(10)}${title}`).join('\n')}

Run it on an otherwise idle machine. Yardsticks that are missing are skipped by name, with the command that installs
them (g++, libopenblas-dev, python3-torch, npm run hosts).`;

function parse() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      huge: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only.filter((name) => !allCases.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new RangeError(
      `Expected one of ${allCases.map(({ name }) => name).join(', ')} for --only but received ${unknown[0]}`,
    );
  }
  return values;
}

/** Misuse is one line and exit status 2, not a stack trace. */
function readOptions(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

function transparentHugePages(): string {
  try {
    const choices = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
    return choices.match(/\[(.+)\]/)?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function describeMachine(): BenchReport['machine'] {
  const processors = availableParallelism();
  const machine: BenchReport['machine'] = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    processors,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    isa: backends().find((backend) => backend.name === 'cpu')?.isa ?? 'unknown',
    compiler: spawnSync('g++', ['-dumpfullversion'], { encoding: 'utf8' }).stdout?.trim() || 'none',
    // decides the cost of fresh memory for programs that do not ask for huge pages
    'huge pages': transparentHugePages(),
  };
  for (const isa of ['avx512', 'avx2']) {
    for (const threads of [1, 2].filter((count) => count <= processors)) {
      try {
        machine[`${isa} FMA peak, ${threads} threads, GFLOP/s`] = fmaPeak(isa, threads);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        machine[`${isa} FMA peak, ${threads} threads, GFLOP/s`] = error.message;
      }
    }
  }
  return machine;
}

async function runCase(one: BenchCase, options: { quick: boolean; huge: boolean }): Promise<CaseReport> {
  const report: CaseReport = { name: one.name, title: one.title, rows: [], skipped: [] };
  const skip = (reason: string) => report.skipped.push(reason);
  const context: BenchContext = { ...options, processors: availableParallelism(), skip };
  try {
    for await (const row of one.run(context)) {
      if (options.quick) delete row.targets; // quick figures mean nothing, so they meet nothing
      report.rows.push(row);
    }
  } catch (error) {
    if (error instanceof Unavailable) skip(error.message);
    else report.failed = error instanceof Error ? error.message : String(error);
  } finally {
    await LineProcess.stopAll();
  }
  return report;
}

function defaultFile(machine: BenchReport['machine']): string {
  const name = `${machine.cpu}-${machine.processors}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return join(benchFolder, 'results', `${name}.json`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    console.log(help);
    return;
  }
  const machine = describeMachine();
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
  );
  const report: BenchReport = {
    date: new Date().toISOString(),
    commit: currentCommit(),
    command: commandLine(process.argv.slice(2)),
    quick: options.quick,
    machine,
    cases: [],
  };
  for (const one of allCases) {
    if (options.only.length > 0 && !options.only.includes(one.name)) continue;
    report.cases.push(await runCase(one, options));
    printCase(report.cases.at(-1)!);
  }
  const targets = report.cases.flatMap(({ rows }) => rows.flatMap((row) => row.targets ?? []));
  if (targets.length > 0) console.log(`\n${targets.filter(isMet).length} of ${targets.length} targets met`);
  // npm starts this program in the folder of the workspace, and the user typed the path elsewhere
  const typedIn = process.env.INIT_CWD ?? process.cwd();
  const file = options.out ? resolve(typedIn, options.out) : options.quick ? undefined : defaultFile(machine);
  if (file) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`written: ${file}`);
  }
  if (report.cases.some(({ failed }) => failed)) process.exitCode = 1;
}

await main();
