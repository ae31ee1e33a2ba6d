/** Programs that a build of a binary starts: whether they are here, what they print, and an error that names the command. */
import { spawnSync } from 'node:child_process';

/** A failure that says what happened and what to do. Its message is printed without a stack. */
export class BuildError extends Error {}

/** Whether a program starts with `--version`. */
export const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * One line for each program that is not here. `programs` maps a program to what brings the program, such as
 * `{ cmake: 'Debian package cmake' }`.
 */
export function missingPrograms(programs) {
  return Object.entries(programs)
    .filter(([program]) => !has(program))
    .map(([program, source]) => `${program} (${source})`);
}

function start(program, args, options) {
  const { status, signal, error, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error) throw new BuildError(`${program} does not start: ${error.message}`);
  if (status !== 0) {
    const ended = signal ?? `exit status ${status}`;
    throw new BuildError(`this command failed (${ended}): ${[program, ...args].join(' ')}`);
  }
  return stdout;
}

/** Runs a program, whose output goes to the terminal. Throws BuildError where the program fails. */
export const run = (program, args, options = {}) => {
  start(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
};

/** What a program prints. */
export const capture = (program, args, options = {}) =>
  start(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
