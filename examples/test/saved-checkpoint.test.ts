/** The checkpoint's file: comes back as it was, and everything this run could not have written is refused by name. */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, DemoError } from '../src/errors.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../src/saved/checkpoint.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-saved-'));
  path = join(folder, 'checkpoint.bin');
});
afterEach(() => rmSync(folder, { recursive: true }));

const phase = { seconds: 0.1, bytes: 10 };
const record = (step: number) => ({
  step,
  loss: 2,
  accuracy: 0.5,
  scale: 20,
  learningRate: 0.01,
  seconds: 0.4,
  cost: { encode: phase, loss: phase, backward: phase, totalSeconds: 0.3, overheadRatio: 0.3 },
});
const config = { batch: 8, data: 'ü' };
const checkpoint: Checkpoint = {
  step: 2,
  config,
  randomStates: [6, 7],
  history: { steps: [record(1), record(2)], curve: [{ step: 2, recallAt1: 0.5 }] },
  arrays: { left: Float32Array.of(1, -2.5, 3e38), logScale: Float32Array.of(3) },
};
const expected = {
  config,
  steps: 4,
  encoders: 2,
  lengths: new Map([
    ['left', 3],
    ['logScale', 1],
  ]),
};
const read = () => readCheckpoint(path, expected);

/** One line that names the file and what to do. */
function expectRefused(message: string): void {
  let thrown: unknown;
  try {
    read();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CheckpointError);
  expect(thrown).toBeInstanceOf(DemoError);
  const text = (thrown as Error).message;
  expect(text).toContain(message);
  expect(text).toContain(path);
  expect(text).toMatch(/start anew without --resume$/);
  expect(text).not.toContain('\n');
}

/** A file with this header and these arrays, and a checksum that is right: only the reader's own checks are left. */
function writeHostile(header: string | Buffer, arrays: Float32Array, headerLength = header.length): void {
  const text = Buffer.from(header);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(
    typeof header === 'string' && headerLength === header.length ? text.length : headerLength,
  );
  const content = Buffer.concat([length, text, Buffer.from(arrays.buffer)]);
  const hash = createHash('sha256').update(content).digest('hex');
  writeFileSync(path, Buffer.concat([Buffer.from(`INFCLCK2${hash}`), content]));
}

const header = () => ({
  ...structuredClone({ ...checkpoint, arrays: undefined }),
  lengths: [
    ['left', 3],
    ['logScale', 1],
  ] as unknown,
});
const numbers = Float32Array.of(1, 2, 3, 4);

test('comes back as it was and leaves no other file', () => {
  writeCheckpoint(path, checkpoint);
  expect(read()).toEqual(checkpoint);
  expect(readdirSync(folder)).toEqual(['checkpoint.bin']);
});

test('the hostile files below differ from a good one in what they name only', () => {
  writeHostile(JSON.stringify(header()), numbers);
  expect(read()).toMatchObject({ step: 2, randomStates: [6, 7] });
});

test('a file cut short anywhere is refused', () => {
  writeCheckpoint(path, checkpoint);
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length += length < 90 ? 1 : 7) {
    writeFileSync(path, whole.subarray(0, length));
    expectRefused(length < 8 ? 'another kind of file' : 'cut short or changed');
  }
});

test('a file with any byte changed, or with a byte more, is refused', () => {
  writeCheckpoint(path, checkpoint);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    for (const mask of [0x01, 0x20, 0x80]) {
      const bad = Buffer.from(whole);
      bad[at]! ^= mask;
      writeFileSync(path, bad);
      expectRefused(at < 8 ? 'another kind of file' : 'cut short or changed');
    }
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
  expectRefused('cut short or changed');
});

test.each([
  ['of the version without a checksum', 'INFCLCK1 and so on'],
  ['that is something else', 'something else altogether'],
  ['that is empty', ''],
])('a file %s is refused', (_, text) => {
  writeFileSync(path, text);
  expectRefused('with a checksum');
});

test('a folder in its place is refused', () => {
  mkdirSync(path);
  expect(read).toThrow(`Expected a file for a checkpoint of this demo but ${path} is a folder`);
});

type Header = Record<string, unknown>;
const changed = (change: (header: Header) => void) => {
  const bad: Header = header();
  change(bad);
  return JSON.stringify(bad);
};
const withField = (name: string, value: unknown) =>
  changed((bad) => {
    bad[name] = value;
  });
const without = (name: string) => changed((bad) => delete bad[name]);
const withRecord = (name: string, value: unknown) =>
  changed((bad) => {
    const { steps } = bad.history as { steps: Header[] };
    steps[1] = { ...steps[1], [name]: value };
  });

test.each([
  // text
  ['JSON cut short', '{"step": 1', 'Expected JSON'],
  ['no JSON', 'step 1', 'Expected JSON'],
  ['null', 'null', 'Expected an object for the content'],
  ['a list', '[]', 'Expected an object for the content'],
  ['lists without end', '['.repeat(100_000), 'Expected JSON'],
  [
    'lists of great depth',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    'Expected an object for the content',
  ],
  // names
  ...['step', 'config', 'randomStates', 'history', 'lengths'].map((name) => {
    return [`no ${name}`, without(name), `Expected a value for ${name}`];
  }),
  ['a name too many', withField('more', 1), 'Expected no such name for more'],
  [
    '__proto__',
    JSON.stringify(header()).replace('{', '{"__proto__":{"step":3},'),
    'no such name for __proto__',
  ],
  ['a step from a prototype', without('step').replace('{', '{"__proto__":{"step":3},'), '__proto__'],
  // step
  ...[1.5, '2', 1e9, -1, 5, null, true, [2], {}].map((step) => {
    return [`step ${JSON.stringify(step)}`, withField('step', step), 'a whole number from 0 to 4 for step'];
  }),
  ['step beyond float64', JSON.stringify(header()).replace('"step":2,', '"step":1e999,'), 'for step'],
  ['fewer steps than records', withField('step', 1), 'a list of 1 for history.steps'],
  ['more steps than records', withField('step', 3), 'a list of 3 for history.steps'],
  // settings
  ['config null', withField('config', null), 'an object for config'],
  ['config a list', withField('config', []), 'an object for config'],
  ['another batch', withField('config', { ...config, batch: 16 }), 'Expected batch 16, as in'],
  ['a batch of the wrong type', withField('config', { ...config, batch: '8' }), 'Expected batch 8, as in'],
  ['a setting that is an object', withField('config', { ...config, batch: {} }), 'for config.batch'],
  ['no batch', withField('config', { data: 'ü' }), 'Expected batch unset, as in'],
  ['a setting too many', withField('config', { ...config, constructor: 1 }), 'Expected constructor 1, as in'],
  // random states
  ...[null, 6, {}, [6], [6, 7, 8]].map((states) => {
    return [
      `random states ${JSON.stringify(states)}`,
      withField('randomStates', states),
      'a list of 2 for randomStates',
    ];
  }),
  ...[
    [6, '7'],
    [6, 1.5],
    [6, -1],
    [6, null],
    [6, [7]],
    [6, 1e300],
  ].map((states) => {
    return [
      `random states ${JSON.stringify(states)}`,
      withField('randomStates', states),
      '2 whole numbers for randomStates',
    ];
  }),
  // history
  ['history null', withField('history', null), 'an object for history'],
  ['no curve', withField('history', { steps: header().history.steps }), 'a value for history.curve'],
  [
    'a record null',
    withField('history', { ...header().history, steps: [null, record(2)] }),
    'history.steps[0]',
  ],
  ['records out of order', withRecord('step', 1), 'Expected 2 for history.steps[1].step'],
  ['a loss that was NaN', withRecord('loss', null), 'a finite number for history.steps[1].loss'],
  ['markup for a loss', withRecord('loss', '<script>'), 'but received "<script>"'],
  [
    'an accuracy beyond 1',
    withRecord('accuracy', 2),
    'a finite number from 0 to 1 for history.steps[1].accuracy',
  ],
  ['no cost', withRecord('cost', undefined), 'a value for history.steps[1].cost'],
  [
    'a cost of less',
    withRecord('cost', { ...record(1).cost, loss: {} }),
    'history.steps[1].cost.loss.seconds',
  ],
  [
    'a point of the curve beyond the steps done',
    withField('history', { ...header().history, curve: [{ step: 3, recallAt1: 0 }] }),
    'history.curve[0].step',
  ],
  [
    'points of the curve in no order',
    withField('history', { ...header().history, curve: [2, 1].map((step) => ({ step, recallAt1: 0 })) }),
    'history.curve[1].step',
  ],
  // lengths
  ...[null, [], [['left', 3]], 'left'].map((lengths) => {
    return [`lengths ${JSON.stringify(lengths)}`, withField('lengths', lengths), 'a list of 2 for lengths'];
  }),
  ...[2, 4, -3, null, '3', 1e9].map((length) => {
    const lengths = [
      ['left', length],
      ['logScale', 1],
    ];
    return [
      `a length of ${JSON.stringify(length)}`,
      withField('lengths', lengths),
      '3 numbers in array left for lengths',
    ];
  }),
  ['lengths NaN', JSON.stringify(header()).replace('"left",3', '"left",NaN'), 'Expected JSON'],
  [
    'another array',
    withField('lengths', [
      ['right', 3],
      ['logScale', 1],
    ]),
    '3 numbers in array left',
  ],
  [
    'arrays in another order',
    withField('lengths', [
      ['logScale', 1],
      ['left', 3],
    ]),
    '3 numbers in array left',
  ],
  ['an entry null', withField('lengths', [null, ['logScale', 1]]), '3 numbers in array left'],
] as [string, string, string][])('a header with a right checksum but %s is refused', (_, text, message) => {
  writeHostile(text, numbers);
  expectRefused(message);
});

test.each([
  ['fewer numbers', numbers.subarray(0, 3).slice(), '16 bytes of arrays'],
  ['more numbers', Float32Array.of(1, 2, 3, 4, 5), '16 bytes of arrays'],
  ['no numbers', new Float32Array(0), '16 bytes of arrays'],
  ['NaN', Float32Array.of(1, 2, Number.NaN, 4), 'finite numbers in array left'],
  ['infinity', Float32Array.of(1, 2, 3, -Infinity), 'finite numbers in array logScale'],
])('arrays with a right checksum but %s are refused', (_, array, message) => {
  writeHostile(JSON.stringify(header()), array);
  expectRefused(message);
});

test.each([0, 3, 0xffffffff])('a header that claims %i bytes is refused', (length) => {
  writeHostile(JSON.stringify(header()), numbers, length);
  expectRefused(length === 0xffffffff ? 'a header' : 'Expected JSON');
});
