/**
 * Runs one command as a process group of its own, with a time limit. Where the limit or a signal ends the command, every
 * process of the group is ended: a test that hangs leaves nothing behind that would slow down the next one.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Seconds between the request to end and the end by force. */
const graceSeconds = 5;

let running = null;

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ESRCH: nothing is left of the group
  }
}

/** A signal to this process ends the command as well, which would not get the signal by itself. */
export function endCommandsWithThisProcess() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      console.error(`verify: ended by ${signal}; parts that passed are kept`);
      process.exit(128 + constants.signals[signal]);
    });
  }
  process.on('exit', () => {
    if (running) signalGroup(running, 'SIGKILL');
  });
}

/**
 * Resolves with `{ status }`, `{ signal }`, `{ error }` where the command did not start, or `{ late: true }` where
 * the command was stopped after `seconds`.
 */
export function runCommand({ command: [program, ...args], cwd, env, seconds }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    let late = false;
    let force;
    const limit = setTimeout(() => {
      late = true;
      signalGroup(child, 'SIGTERM');
      force = setTimeout(signalGroup, graceSeconds * 1e3, child, 'SIGKILL');
    }, seconds * 1e3);
    const finish = (result) => {
      clearTimeout(limit);
      clearTimeout(force);
      running = null;
      resolve(late ? { late } : result);
    };
    child.on('error', (error) => finish({ error }));
    child.on('spawn', () => {
      running = child;
    });
    child.on('exit', (status, signal) => {
      signalGroup(child, 'SIGKILL'); // what the command has left in the background
      finish({ status, signal });
    });
  });
}
