/**
 * A disk that becomes full, a file that may not become longer, and a disk that fails: each is an ERR_STORE, the rows
 * that were there stay, and the writer goes on when there is room again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createStoreWriter } from '../../lib/store/store-writer';
import type { FullAnswer, FullOrder } from './children/write-until-full';
import { headerOf, rejection, useFolder } from './files';

const folder = useFolder();
const register = join(__dirname, '..', 'child', 'register-typescript.cjs');
const child = join(__dirname, 'children', 'write-until-full.ts');

const runs = (...command: string[]) => spawnSync(command[0]!, command.slice(1)).status === 0;

/** Needs Linux, and the right to mount. */
const canMount = runs('unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=64k none /tmp');
const canLimit = runs('prlimit', '--fsize=1000000', 'true');

/** The child's answer; `sh` gets the command of the child as "$@". */
function answer(order: FullOrder, script: string): FullAnswer {
  const command = [process.execPath, '-r', register, child, JSON.stringify(order)];
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script, 'sh', ...command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').pop()!) as FullAnswer;
}

/** A file system of 2 MiB at `room`, for the child alone. */
const smallDisk = (room: string) =>
  `exec unshare --mount sh -c 'mount -t tmpfs -o size=2m none "$0" && head -c 300000 /dev/zero >"$0/ballast" && exec "$@"' ${room} "$@"`;

(canMount ? describe : describe.skip)('a small file system', () => {
  it('ENOSPC during an append, then room, then a whole file', () => {
    mkdirSync(folder.path('room'));
    const room = folder.path('room');
    const order = {
      path: join(room, 'x'),
      dim: 256,
      rowsOfAppend: 250,
      ballast: join(room, 'ballast'),
      rows: null,
    };
    const { error, before, after, committed, wrong } = answer(order, smallDisk(room));
    expect(error).toEqual([
      'ERR_STORE',
      expect.stringContaining('the disk is full; free some space'),
      'ENOSPC',
    ]);
    expect(before).toBeGreaterThan(0);
    expect([after, committed, wrong]).toEqual([before, before + 250, 0]);
  });

  it('ENOSPC at once where the rows are known', () => {
    mkdirSync(folder.path('room'));
    const room = folder.path('room');
    const order = { path: join(room, 'x'), dim: 256, rowsOfAppend: 250, ballast: null, rows: 3000 };
    const script = `exec unshare --mount sh -c 'mount -t tmpfs -o size=2m none "$0" && "$@" && ls "$0" >&2' ${room} "$@"`;
    const { error, before } = answer(order, script);
    expect([error[0], error[2], before]).toEqual(['ERR_STORE', 'ENOSPC', 0]);
  });
});

(canLimit ? it : it.skip)('a file that may not become longer: EFBIG, and no signal', () => {
  const order = { path: folder.path('x'), dim: 256, rowsOfAppend: 250, ballast: null, rows: null };
  const { error, before, after, committed, wrong } = answer(order, 'exec prlimit --fsize=1000000 "$@"');
  expect(error).toEqual(['ERR_STORE', expect.stringContaining('ulimit -f allows'), 'EFBIG']);
  expect([before, after, committed, wrong]).toEqual([750, 750, 750, 0]);
});

/** Handles whose calls fail by this rule: the name of the method, and how often it was called. */
function failing(rule: (method: string, call: number) => string | null) {
  const { open } = fs;
  const counts: Record<string, number> = {};
  return jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
    const handle = await open(...args);
    for (const method of ['write', 'truncate', 'sync'] as const) {
      const original = handle[method].bind(handle) as (...all: unknown[]) => Promise<unknown>;
      const faulty = async (...all: unknown[]) => {
        counts[method] = (counts[method] ?? 0) + 1;
        const code = rule(method, counts[method]);
        if (code !== null) throw Object.assign(new Error(`${code}: as the test wants it`), { code });
        return original(...all);
      };
      Object.defineProperty(handle, method, { value: faulty });
    }
    return handle;
  });
}

describe('calls that fail', () => {
  afterEach(() => jest.restoreAllMocks());
  const rows = { data: new Float32Array(2 ** 19).fill(3), shape: [2 ** 9, 2 ** 10] };

  it.each([
    ['write', 3, 'ENOSPC', 'the disk is full'],
    ['write', 3, 'EDQUOT', 'the quota of this user is used up'],
    ['write', 3, 'EIO', "'EIO: as the test wants it'"],
  ])('%s %i of an append with %s: the rows may be appended again', async (method, at, code, message) => {
    failing((name, call) => (name === method && call === at ? code : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10 });
    const error = await rejection(writer.append(rows));
    expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining(message)]);
    expect(error.cause).toMatchObject({ code });
    expect(writer.shape[0]).toBe(0);
    await writer.append(rows);
    await writer.commit();
    expect(readFileSync(folder.path('x')).subarray(4096).equals(Buffer.from(rows.data.buffer))).toBe(true);
  });

  it('fewer rows than an append that failed had written: its bytes are cut off', async () => {
    failing((name, call) => (name === 'write' && call === 3 ? 'ENOSPC' : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10 });
    await rejection(writer.append(rows));
    await writer.append({ data: new Float32Array(2 ** 10).fill(1), shape: [1, 2 ** 10] });
    await writer.commit();
    expect(await headerOf(folder.path('x'))).toMatchObject({ rows: 1, fileBytes: 8192 });
  });

  it.each([
    ['truncate', 1],
    ['write', 4],
    ['write', 5],
  ])('%s %i, in a commit: the commit may be repeated', async (method, at) => {
    failing((name, call) => (name === method && call === at ? 'ENOSPC' : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10, ids: true });
    await writer.append(rows, { ids: new Int32Array(2 ** 9) });
    expect((await rejection(writer.commit())).code).toBe('ERR_STORE');
    expect(readdirSync(dirname(folder.path('x')))).toEqual(['x.tmp']);
    await writer.commit();
    expect(await headerOf(folder.path('x'))).toMatchObject({ rows: 2 ** 9 });
  });

  it.each([1, 2])('sync %i: nobody knows what is on the disk, so the writer is done for', async (at) => {
    failing((name, call) => (name === 'sync' && call === at ? 'EIO' : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10 });
    await writer.append(rows);
    expect((await rejection(writer.commit())).code).toBe('ERR_STORE');
    for (const call of [() => writer.commit(), () => writer.append(rows)]) {
      expect((await rejection(call())).message).toContain('a commit could not make the file durable');
    }
    await writer.abort();
    expect(readdirSync(dirname(folder.path('x')))).toEqual([]);
  });

  it('sync of the folder: the file is there and whole, and the error says so', async () => {
    failing((name, call) => (name === 'sync' && call === 3 ? 'EIO' : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10 });
    await writer.append(rows);
    const error = await rejection(writer.commit());
    expect([error.code, error.message]).toEqual([
      'ERR_STORE',
      expect.stringContaining('the file is there and whole'),
    ]);
    expect([writer.committed, (await headerOf(folder.path('x'))).rows]).toEqual([true, 2 ** 9]);
  });

  it('sync of a folder on a file system that has no such thing is no error', async () => {
    failing((name, call) => (name === 'sync' && call === 3 ? 'EINVAL' : null));
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10 });
    await writer.append(rows);
    await writer.commit();
  });

  it('create: nothing is left', async () => {
    failing((name) => (name === 'write' ? 'ENOSPC' : null));
    const error = await rejection(createStoreWriter(folder.path('x'), { dim: 4, rows: 10 }));
    expect([error.code, readdirSync(dirname(folder.path('x')))]).toEqual(['ERR_STORE', []]);
  });

  it('writes that are cut short are continued', async () => {
    const { open } = fs;
    jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
      const handle = await open(...args);
      const write = handle.write.bind(handle) as (...all: unknown[]) => Promise<{ bytesWritten: number }>;
      const short = (bytes: Uint8Array, offset: number, length: number, position: number) =>
        write(bytes, offset, Math.ceil(length / 3), position);
      return Object.defineProperty(handle, 'write', { value: short });
    });
    const writer = await createStoreWriter(folder.path('x'), { dim: 2 ** 10, rows: 2 ** 9 });
    await writer.append(rows);
    await writer.commit();
    expect(readFileSync(folder.path('x')).subarray(4096).equals(Buffer.from(rows.data.buffer))).toBe(true);
  });
});
