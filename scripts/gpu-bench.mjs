/**
 * Runs the native gpu-bench, then scripts/gpu-torch.py over the shapes that it measured, and puts both into one report.
 * What python3 lacks is skipped by name: torch with CUDA, inf_cl (the Triton implementation of the paper).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'gpu-torch.py');

/** Value of an option among a program's arguments, which may not be there. */
function option(args, name) {
  const at = args.indexOf(name);
  return at >= 0 ? args[at + 1] : undefined;
}

/** One shape in one Python process, so that memory one shape could not have is free for the next. */
function measure(implementation, { dtype, rows, dim }, limits) {
  const args = [script, implementation, '--dtype', dtype, '--rows', rows, '--dim', dim, ...limits];
  const { status, stdout, error } = spawnSync('python3', args.map(String), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error) return { implementation, missing: `python3 does not start: ${error.message}` };
  if (status !== 0)
    return { implementation, dtype, rows, dim, skipped: `python3 ended with status ${status}` };
  return JSON.parse(stdout);
}

function describe(result, passes) {
  const { implementation, dtype, rows, dim } = result;
  const shape = `${implementation.padEnd(6)} ${dtype.padEnd(8)} ${String(rows).padStart(8)} ${String(dim).padStart(5)} | `;
  if (result.skipped) return `${shape}skipped: ${result.skipped}`;
  const share = (passes / result.total_ms).toFixed(2);
  const times = [result.forward_ms, result.backward_ms, result.total_ms].map((ms) =>
    ms.toFixed(3).padStart(9),
  );
  return `${shape}${times.join(' ')} | infcl passes / this ${share}`;
}

/**
 * Each shape once. A shape may be there twice, with features on the host and on the device. The passes of both are the same
 * work; those of the device come last and win.
 */
function shapesOf(cases) {
  return [...new Map(cases.map((row) => [`${row.dtype} ${row.dim} ${row.rows}`, row])).values()];
}

/** All shapes of one implementation. Grows along rows, so the first shape that does not fit ends its series. */
function series(implementation, cases, limits) {
  const results = [];
  const ended = new Set();
  for (const shape of cases) {
    const key = `${shape.dtype} ${shape.dim}`;
    if (ended.has(key)) continue;
    const result = measure(implementation, shape, limits);
    results.push(result);
    if (result.missing) {
      console.log(`${implementation.padEnd(6)} skipped: ${result.missing}`);
      break;
    }
    if (result.skipped) ended.add(key);
    console.log(describe(result, shape.passes_ms.total));
  }
  return results;
}

/** Exit status for the process. */
export function bench(program, given) {
  const beside = join(dirname(program), 'gpu-bench.json');
  const args = option(given, '--out') ? given : [...given, '--out', beside];
  const wantsHelp = given.includes('--help');
  const { status } = spawnSync(program, wantsHelp ? ['--help'] : args, { stdio: 'inherit' });
  if (status !== 0 || wantsHelp) return status ?? 1;
  const path = option(args, '--out');
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const limits = ['--max-seconds', report.settings.max_seconds, '--repetitions', report.settings.repetitions];
  console.log('\nPython on the same shapes, features and gradients on the device. Milliseconds, medians.\n');
  report.python = ['torch', 'inf_cl'].flatMap((name) => series(name, shapesOf(report.cases), limits));
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nwritten to ${path}`);
  return 0;
}
