/** What a person got wrong ends in one line and exit code 2, before any training and without a stack trace. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../src/main.js';

let folder: string;
let said: string[];
let printed: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-main-'));
  said = [];
  printed = [];
  jest.spyOn(console, 'error').mockImplementation((line) => said.push(line));
  jest.spyOn(console, 'log').mockImplementation((line) => printed.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const pairs = (rows: number) => Array.from({ length: rows }, (_, i) => `left ${i}\tright ${i}`).join('\n');
const inFolder = (name: string) => join(folder, name);

/** The line that the demo says. Nothing else is printed but, where data was read, how much of it there is. */
async function refusal(...args: string[]): Promise<string> {
  expect(await main(args, folder)).toBe(2);
  expect(said).toEqual([expect.any(String)]);
  expect(said[0]).not.toContain('\n');
  expect(printed.join()).not.toContain('Training:');
  return said[0]!;
}

describe('--out', () => {
  test.each([
    ['a file', 'file', 'file is a file: choose another --out'],
    ['below a file', 'file/deep/er', 'file is a file: choose another --out'],
    ['below a device', '/dev/full/x', '/dev/full is a file'],
    [
      'where no folder can be made',
      '/proc/x',
      'Cannot make the folder /proc/x: no such file or directory (ENOENT)',
    ],
    ['deep where no folder can be made', '/proc/x/y', 'Cannot make the folder /proc/x'],
    ['a link that goes round in circles', 'circle/x', 'too many symbolic links encountered (ELOOP)'],
    ['a link to nothing', 'dangling', 'file already exists (EEXIST)'],
    ['a name too long', 'n'.repeat(300), 'name too long (ENAMETOOLONG)'],
  ])('%s', async (_, out, message) => {
    writeFileSync(inFolder('file'), '');
    symlinkSync('circle', inFolder('circle'));
    symlinkSync('nothing', inFolder('dangling'));
    expect(await refusal('--out', out)).toContain(message);
    expect(printed).toEqual([]);
  });

  test('that has no room', async () => {
    mkdirSync(inFolder('out'));
    symlinkSync('/dev/full', join(folder, 'out', `trial.${process.pid}.tmp`));
    expect(await refusal('--out', 'out')).toBe(
      `Cannot write into the folder ${inFolder('out')}: no space left on device (ENOSPC)`,
    );
    expect(printed).toEqual([]);
    expect(readdirSync(inFolder('out'))).toEqual([]);
  });

  test.each(['checkpoint.bin', 'sweep.json', 'report.json', 'report.html'])(
    'with a folder %s',
    async (name) => {
      mkdirSync(join(folder, 'out', name), { recursive: true });
      expect(await refusal('--out', 'out')).toContain(`${name} but found another kind of entry`);
      expect(printed).toEqual([]);
    },
  );
});

describe('--data', () => {
  test.each([
    ['that does not exist', 'none.tsv', 'Cannot read --data', 'no such file or directory (ENOENT)'],
    ['that is a folder', '.', 'Expected a file for --data but', 'is a folder'],
    ['that is a device', '/dev/zero', 'Expected a file for --data but', 'is a device'],
    ['below a file', 'file/x', 'Cannot read --data', 'not a directory (ENOTDIR)'],
  ])('%s', async (_, data, ...messages) => {
    writeFileSync(inFolder('file'), '');
    const line = await refusal('--data', data, '--out', 'out');
    for (const message of messages) expect(line).toContain(message);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('that is a FIFO', async () => {
    execFileSync('mkfifo', [inFolder('fifo')]);
    expect(await refusal('--data', 'fifo', '--out', 'out')).toContain('fifo is a FIFO');
  });

  test('that is a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(inFolder('socket'), resolve));
    expect(await refusal('--data', 'socket', '--out', 'out')).toContain('Cannot read --data');
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    [
      'an invalid byte',
      Buffer.from('a\tb\nc\t\xff\n', 'latin1'),
      'data.tsv:2: Expected UTF-8 but received other bytes',
    ],
    [
      'Latin-1',
      Buffer.from('a\tb\n\nü\tx\n', 'latin1'),
      'data.tsv:3: Expected UTF-8 but received other bytes',
    ],
    [
      'a character cut at the end',
      Buffer.from('a\tb\nc\tü').subarray(0, -1),
      'data.tsv:2: Expected UTF-8 but received other bytes',
    ],
    [
      'a surrogate',
      Buffer.from('a\tb\n\xed\xa0\x80\tx', 'latin1'),
      'data.tsv:2: Expected UTF-8 but received other bytes',
    ],
    ['UTF-16 with a mark', Buffer.from('\ufeffa\tb\n', 'utf16le'), 'data.tsv:1: Expected UTF-8'],
    [
      'UTF-16 without a mark',
      Buffer.from('a\tb\n', 'utf16le'),
      'data.tsv:1: Expected UTF-8 but received a NUL, as UTF-16 has',
    ],
    [
      'UTF-16, big-endian',
      Buffer.from('a\tb\n', 'utf16le').swap16(),
      'data.tsv:1: Expected UTF-8 but received a NUL',
    ],
    ['a NUL', Buffer.from('a\tb\nc\td\ne\tf\0\n'), 'data.tsv:3: Expected UTF-8 but received a NUL'],
    ['three columns', Buffer.from('a\tb\tc\nd\te\tf\n'), 'left<TAB>right'],
    ['a third column in one row', Buffer.from('a\tb\nc\td\te\n'), 'data.tsv:2: Expected 2 columns'],
    ['too few pairs', Buffer.from(pairs(63)), 'at least 64 different pairs'],
    ['nothing', Buffer.alloc(0), 'Expected rows but the file has none'],
  ])('with %s', async (_, bytes, message) => {
    writeFileSync(inFolder('data.tsv'), bytes);
    const line = await refusal('--data', 'data.tsv', '--out', 'out');
    expect(line).toContain(message);
    expect(line).toContain(inFolder('data.tsv'));
    expect(printed).toEqual([]);
  });
});

describe('flags', () => {
  test.each([
    [['--threads', '1025'], 'from 1 to 1024 for --threads'],
    [['--threads', '0'], 'from 1 to 1024 for --threads'],
    [['--seed', 'x'], 'for --seed'],
    [['--nothing'], "'--nothing'"],
  ])('%j, before anything is made', async (args, message) => {
    expect(await refusal(...args, '--out', 'out')).toContain(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a batch larger than the data', async () => {
    writeFileSync(inFolder('data.tsv'), pairs(64));
    const line = await refusal('--data', 'data.tsv', '--out', 'out', '--batch', '57');
    expect(line).toContain('Expected at most 56');
  });
});

describe('--resume', () => {
  beforeEach(() => {
    writeFileSync(inFolder('data.tsv'), pairs(64));
    mkdirSync(inFolder('out'));
  });
  const resume = (...more: string[]) => refusal('--data', 'data.tsv', '--out', 'out', '--resume', ...more);

  test('without a checkpoint, before data is loaded', async () => {
    expect(await resume()).toContain('for --resume but there is none: start without --resume');
    expect(printed).toEqual([]);
  });

  test('from a sweep.json that cannot be used, before the training that comes first', async () => {
    writeFileSync(join(folder, 'out', 'checkpoint.bin'), '');
    writeFileSync(join(folder, 'out', 'sweep.json'), '{"config": {}, "runs": [null]}');
    expect(await resume()).toContain('sweep.json to make its runs again');
  });

  test('from a checkpoint that cannot be used', async () => {
    writeFileSync(join(folder, 'out', 'checkpoint.bin'), 'INFCLCK1');
    const listeners = process.listenerCount('SIGINT');
    expect(await main(['--data', 'data.tsv', '--out', 'out', '--resume', '--quick'], folder)).toBe(2);
    expect(said).toEqual([expect.stringMatching(/older version: start anew without --resume$/)]);
    expect(readdirSync(inFolder('out'))).toEqual(['checkpoint.bin']);
    // what the run listened to, it no longer does
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });
});

test('text with a byte order mark is text', async () => {
  writeFileSync(inFolder('data.tsv'), `\ufeff${pairs(63)}`);
  expect(await refusal('--data', 'data.tsv', '--out', 'out')).toContain('received 63');
});
