/**
 * A few thousand random headers, always the same ones; `npm run test:headers` makes others for as long as one likes. Also
 * that a reader with a defect is found out.
 *
 * Reads dist/, as the package is used.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, 'random-headers.mjs');

function randomHeaders(args: string[], preload?: string) {
  const options = preload === undefined ? [] : ['--require', preload];
  const env = { ...process.env, RANDOM_HEADERS_SABOTAGE: preload === undefined ? '' : args.at(-1) };
  return spawnSync(process.execPath, [...options, script, ...args.slice(0, 4)], { encoding: 'utf8', env });
}

const countOf = (stdout: string, reason: string) =>
  Number(new RegExp(`^ +(\\d+) ${reason}`, 'm').exec(stdout)?.[1] ?? 0);

test('random files are read as they were made, or refused with a code', () => {
  const { status, stdout } = randomHeaders(['--seed', '1', '--cases', '3000']);
  expect(stdout).not.toContain('FAILED');
  expect(status).toBe(0);
  // not one sided: whole files are read, damaged ones are refused for many reasons
  expect(countOf(stdout, 'whole')).toBe(3000);
  expect(stdout.split('\n').length).toBeGreaterThan(30);
  for (const reason of [
    'the file is too short',
    'the file is too long',
    'its header has',
    'its header is no dictionary',
  ]) {
    expect(`${reason} ${countOf(stdout, reason)}`).not.toBe(`${reason} 0`);
  }
});

it.each([
  ['rows', 'a whole file was read as'],
  ['bounds', 'features beyond the file'],
  ['throw', 'not refused but thrown: TypeError: a defect'],
  ['memory', 'bytes were read'],
  ['message', 'characters of message'],
])('a reader with a defect (%s) is found out', (kind, message) => {
  const sabotage = join(__dirname, 'headers', 'sabotage.cjs');
  const { status, stdout } = randomHeaders(['--seed', '1', '--cases', '60', kind], sabotage);
  expect(stdout).toMatch(/^FAILED --seed 1 --only \d+: /m);
  expect(stdout).toContain(message);
  expect(status).toBe(1);
});
