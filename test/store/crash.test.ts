/**
 * A process that writes a store is killed at each of its calls of the system. Then the target is the old file, or the
 * whole new one, and never anything else. A kill leaves the system's cache as it is, so a second test looks at the
 * order of calls: before the file gets its name, nothing may wait in the cache.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStoreWriter } from '../../lib/store/store-writer';
import { appends, type Order, type Trace } from './children/write-and-die';
import { headerOf, useFolder } from './files';

const folder = useFolder();
const register = join(__dirname, '..', 'child', 'register-typescript.cjs');
const child = join(__dirname, 'children', 'write-and-die.ts');

function write(order: Order) {
  return spawnSync(process.execPath, ['-r', register, child, JSON.stringify(order)], { encoding: 'utf8' });
}

/** The calls of a writer that lives. */
function trace(options: Order['options']): string[] {
  const { stdout, stderr } = write({ path: folder.path('whole'), killAt: 0, torn: false, options });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as Trace).calls;
}

const dim = 1000;
const kinds: [string, Order['options']][] = [
  ['rows unknown', { dim }],
  ['rows known', { dim, rows: 303 }],
  ['ids', { dim, ids: true }],
];

describe.each(kinds)('%s', (_, options) => {
  it('killed at each call, in its middle and after it', async () => {
    const calls = trace(options);
    const whole = readFileSync(folder.path('whole'));
    expect(await headerOf(folder.path('whole'))).toMatchObject({ rows: 303, dim });
    const path = folder.path('x');
    const ends = new Set<string>();
    for (let killAt = 1; killAt <= calls.length; killAt++) {
      // with and without an old file, in turn
      const old = killAt % 2 === 0 ? Buffer.from(`old ${killAt}`) : null;
      for (const torn of [true, false]) {
        rmSync(path, { force: true });
        if (old !== null) writeFileSync(path, old);
        const { signal } = write({ path, killAt, torn, options });
        expect([calls[killAt - 1], signal]).toEqual([calls[killAt - 1], 'SIGKILL']);
        ends.add(judge(path, old, whole));
        // as the guide says: nobody writes any more, so the file that was left may go
        rmSync(`${path}.tmp`, { force: true });
      }
    }
    expect([...ends].sort()).toEqual(['none', 'old', 'whole']);
  });

  it('before the file gets its name, all its bytes are on the disk, the header last', () => {
    const calls = trace(options);
    const name = 'whole.tmp';
    const rename = calls.indexOf('rename');
    expect(calls.filter((call) => call === 'rename')).toHaveLength(1);
    expect(calls.slice(rename - 3, rename)).toEqual([`sync ${name}`, `write ${name}`, `sync ${name}`]);
    expect(calls.slice(rename + 1).filter((call) => call.endsWith(name))).toEqual([`close ${name}`]);
    // then the folder, which has the name
    const folderName = folder.path('whole').split(/[\\/]/).at(-2);
    expect(calls.slice(rename + 1)).toContain(`sync ${folderName}`);
  });
});

/** Fails for anything between the old file and the new one. */
function judge(path: string, old: Buffer | null, whole: Buffer): string {
  if (!existsSync(path)) {
    expect(old).toBeNull();
    return 'none';
  }
  const found = readFileSync(path);
  if (old?.equals(found)) return 'old';
  expect(found.equals(whole)).toBe(true);
  return 'whole';
}

it('a file that was left says so to a reader and to the next writer', async () => {
  const path = folder.path('x');
  write({ path, killAt: 4, torn: false, options: { dim } });
  await expect(headerOf(`${path}.tmp`)).rejects.toMatchObject({
    code: 'ERR_STORE',
    message: expect.stringContaining('it has no header: its writer is at work, or ended before commit()'),
  });
  await expect(createStoreWriter(path, { dim })).rejects.toMatchObject({
    code: 'ERR_STORE',
    message: expect.stringContaining('where no process writes it, delete that file'),
  });
  rmSync(`${path}.tmp`);
  await (await createStoreWriter(path, { dim })).abort();
});

it('what the appends of the child write is what a reader finds', async () => {
  trace({ dim, ids: true });
  const { offset, ids } = await headerOf(folder.path('whole'));
  const bytes = readFileSync(folder.path('whole'));
  const expected = appends.flatMap(({ rows, value }) => Array(rows).fill(value) as number[]);
  expect(expected.map((_, row) => bytes.readFloatLE(offset + 4 * dim * row))).toEqual(expected);
  expect(expected.map((_, row) => bytes.readInt32LE(ids!.offset + 4 * row))).toEqual(expected);
});
