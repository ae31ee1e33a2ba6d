/**
 * A few hundred random calls of the public API, always the same ones; `npm run test:calls` makes others for as long as
 * one likes. Also that the parent process notices what it is there to notice.
 *
 * Reads dist/, as the package is used.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, 'random-calls.mjs');

function randomCalls(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

/** What the summary says of a name. */
const countOf = (stdout: string, name: string) =>
  Number(new RegExp(`^ +${name} +(\\d+)$`, 'm').exec(stdout)?.[1] ?? 0);

test('random calls are fulfilled, or refused with a code', () => {
  const { status, stdout } = randomCalls(['--seed', '1', '--cases', '400', '--batch', '200']);
  expect(stdout).not.toContain('FAILED');
  expect(status).toBe(0);
  // not one sided: valid calls are computed, wrong ones refused
  expect(countOf(stdout, 'fulfilled')).toBeGreaterThan(100);
  expect(countOf(stdout, 'repeated alone')).toBeGreaterThan(50);
  for (const code of [
    'ERR_TYPE',
    'ERR_VALUE',
    'ERR_SHAPE',
    'ERR_OVERLAP',
    'ERR_NOT_FINITE',
    'reason',
    'own',
  ]) {
    expect(`${code} ${countOf(stdout, code)}`).not.toBe(`${code} 0`);
  }
});

const hangs = ['loop', 'never settles', 'left running'];
const sabotage = join(__dirname, 'calls', 'sabotage.cjs');

it.each([
  ['crash', 'the process ended by SIGSEGV'],
  ['exit', 'the process ended before its case had settled'],
  ['loop', 'the event loop stood still'],
  ['never settles', 'not settled after'],
  ['no code', 'TypeError: a defect'],
  ['code of a defect', 'Error: a defect'],
  ['wrong class', 'not a TypeError: Error: a defect'],
  ['long message', '100000 characters of message'],
  ['refuses valid calls', 'a valid call was refused: ERR_VALUE a defect'],
  ['not finite', 'loss is NaN'],
  ['other bits', 'not the bits of the same call alone: loss'],
  ['beyond the end', '0 bytes behind'],
  ['unhandled rejection', 'unhandledRejection: Error: a defect'],
  ['warning', 'on stderr: '],
  ['left running', 'the process did not end after its last case'],
])('a library with a defect (%s) is found out', (kind, message) => {
  // a hang is waited for; nothing else may look like one on a machine with other work
  const deadline = hangs.includes(kind) ? '3' : '60';
  const args = ['--seed', '1', '--cases', '30', '--deadline', deadline, '--failures', '1'];
  const env = { NODE_OPTIONS: `--require ${sabotage}`, RANDOM_CALLS_SABOTAGE: kind };
  const { status, stdout } = randomCalls(args, env);
  expect(stdout).toMatch(/^FAILED --seed 1 --only \d+: /m);
  expect(stdout).toContain(message);
  expect(status).toBe(1);
});
