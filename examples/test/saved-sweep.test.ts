/** The file of finished sweep runs: comes back as it was, and everything no sweep could have written is refused by name. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, OutputError } from '../src/errors.js';
import type { SweepRun } from '../src/measure/sweep.js';
import { SweepLog } from '../src/saved/sweep-log.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-sweep-'));
  path = join(folder, 'sweep.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = { data: 'toy', epochs: 1 };
const run: SweepRun = {
  panel: 'pairs',
  batch: 14,
  seed: 3,
  steps: 8,
  pairs: 112,
  seconds: 0.5,
  recallAt1: 0.25,
};
const failed: SweepRun = { ...run, panel: 'time', recallAt1: 0, divergedAt: 2 };
const resumed = () => new SweepLog(path, config, true);

function expectRefused(message: string): void {
  let thrown: unknown;
  try {
    resumed();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CheckpointError);
  const text = (thrown as Error).message;
  expect(text).toContain(message);
  expect(text.endsWith(`delete ${path} to make its runs again`)).toBe(true);
  expect(text).not.toContain('\n');
}

/** A file whose checksum is right: only the reader's own checks are left. */
function writeHostile(content: string): void {
  const body = `",${content.replace('{', '')}`;
  writeFileSync(path, `{"sha256": "${createHash('sha256').update(body).digest('hex')}${body}`);
}

test('comes back as it was, is JSON, and leaves no other file', () => {
  const log = new SweepLog(path, config, false);
  log.add(run);
  log.add(failed);
  expect(resumed().find(run)).toEqual(run);
  expect(resumed().find(failed)).toEqual(failed);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ config, runs: [run, failed] });
  expect(readdirSync(folder)).toEqual(['sweep.json']);
});

test('without resume it begins empty, and with resume and no file as well', () => {
  expect(resumed().find(run)).toBeUndefined();
  new SweepLog(path, config, false).add(run);
  expect(new SweepLog(path, config, false).find(run)).toBeUndefined();
});

test('of another sweep is refused', () => {
  new SweepLog(path, config, false).add(run);
  expect(() => new SweepLog(path, { ...config, epochs: 2 }, true)).toThrow('Expected epochs 1, as in');
});

test('a file with any byte changed, cut short or longer is refused', () => {
  new SweepLog(path, config, false).add(run);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const bad = Buffer.from(whole);
    bad[at]! ^= 0x01;
    writeFileSync(path, bad);
    expectRefused(`in ${path}`);
    writeFileSync(path, whole.subarray(0, at));
    expectRefused(`in ${path}`);
  }
  writeFileSync(path, `${whole} `);
  expectRefused('cut short or changed');
});

test.each([
  '{',
  '[]',
  'null',
  '',
  '{"runs":1,"config":{}}',
  JSON.stringify({ config, runs: [run] }, null, 2),
])('%j, which has no checksum, is refused', (text) => {
  writeFileSync(path, text);
  expectRefused('with a checksum');
});

const good = { config, runs: [run] };
const withRun = (change: Record<string, unknown>) =>
  JSON.stringify({ config, runs: [{ ...run, ...change }] });

test('the hostile files below differ from a good one in what they name only', () => {
  writeHostile(JSON.stringify(good));
  expect(resumed().find(run)).toEqual(run);
});

test.each([
  ['JSON cut short', JSON.stringify(good).slice(0, -1), 'Expected JSON'],
  ['no runs', JSON.stringify({ config }), 'a value for runs'],
  ['runs of another type', JSON.stringify({ config, runs: 1 }), 'a list for runs'],
  ['runs an object', JSON.stringify({ config, runs: { length: 1 } }), 'a list for runs'],
  ['a run null', JSON.stringify({ config, runs: [null] }), 'an object for runs[0]'],
  ['a run a list', JSON.stringify({ config, runs: [[]] }), 'an object for runs[0]'],
  ['no config', JSON.stringify({ runs: [run] }), 'a value for config'],
  ['config null', JSON.stringify({ config: null, runs: [] }), 'an object for config'],
  ['a name too many', JSON.stringify({ ...good, more: 1 }), 'no such name for more'],
  ['__proto__', JSON.stringify(good).replace('{', '{"__proto__":{},'), 'no such name for __proto__'],
  ['__proto__ in a run', withRun({}).replace('{"panel"', '{"__proto__":{},"panel"'), 'for runs[0].__proto__'],
  ['markup for steps', withRun({ steps: '<script>alert(1)</script>' }), 'for runs[0].steps'],
  ...[1.5, 0, -8, 1e10, null].map((steps) => [`steps ${steps}`, withRun({ steps }), 'for runs[0].steps']),
  ['pairs that are not steps times batch', withRun({ pairs: 113 }), 'Expected 112 for runs[0].pairs'],
  ['another panel', withRun({ panel: 'both' }), 'Expected pairs or time for runs[0].panel'],
  ['a panel of another type', withRun({ panel: ['pairs'] }), 'pairs or time for runs[0].panel'],
  ['a batch of 0', withRun({ batch: 0 }), 'for runs[0].batch'],
  ['a seed below 0', withRun({ seed: -1 }), 'for runs[0].seed'],
  ['no time', withRun({ seconds: 0 }), 'for runs[0].seconds'],
  ['time without end', withRun({}).replace('"seconds":0.5', '"seconds":1e999'), 'for runs[0].seconds'],
  ['a recall beyond 1', withRun({ recallAt1: 1.1 }), 'for runs[0].recallAt1'],
  ['a recall that was NaN', withRun({ recallAt1: null }), 'for runs[0].recallAt1'],
  ['a run that diverged after its end', withRun({ divergedAt: 9 }), 'for runs[0].divergedAt'],
  ['a run twice', JSON.stringify({ config, runs: [run, run] }), 'each panel, batch and seed once'],
] as [string, string, string][])('a file with a right checksum but %s is refused', (_, text, message) => {
  writeHostile(text);
  expectRefused(message);
});

test('a disk that is full is an error, and no file is left', () => {
  symlinkSync('/dev/full', `${path}.${process.pid}.tmp`);
  const add = () => new SweepLog(path, config, false).add(run);
  expect(add).toThrow(OutputError);
  expect(readdirSync(folder)).toEqual([]);
});
