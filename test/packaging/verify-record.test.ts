/** What scripts/verify.mjs --record writes to docs/verified.md, and when it refuses. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeCheckout, hasGit } from './fake-checkout';

const inGit = hasGit ? describe : describe.skip;

const suites = `[
  { name: 'good', proves: 'Good | holds.', parts: () => [
    { name: 'a', command: sh('echo a >> runs.log') },
    { name: 'b', needs: [() => 'no b here'], command: sh('false') } ] },
  { name: 'bad', proves: 'Bad holds.', parts: () => [{ name: 'c', command: sh('exit 5') }] },
  { name: 'absent', proves: 'Absent holds.', needs: [() => 'no tool'], parts: () => [] },
]`;

let checkout: FakeCheckout;
beforeEach(() => {
  checkout = new FakeCheckout(suites);
});
afterEach(() => checkout.remove());

/** Cells of the row of a suite. */
function rowOf(name: string): string[] {
  const rows = checkout.read('docs/verified.md').split('\n');
  const found = rows.filter((row) => row.startsWith(`| ${name} | `));
  expect(found).toHaveLength(1);
  return found[0]!.slice(2, -2).split(' | ');
}

test('the page of this project has a row for each suite, and no other rows', () => {
  const script = join(__dirname, '..', '..', 'scripts', 'verify.mjs');
  const list = spawnSync(process.execPath, [script, 'list'], { encoding: 'utf8' }).stdout;
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'verified.md'), 'utf8');
  const names = list
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect(names).toContain('threads');
  expect([...page.matchAll(/^\| (\w[\w-]*) \| (?!what)/gm)].map(([, name]) => name)).toEqual(names);
});

inGit('--record', () => {
  test('writes a row for each suite: passed, failed, skipped with the reason', () => {
    const commit = checkout.commit().slice(0, 12);
    const today = new Date().toISOString().slice(0, 10);
    expect(checkout.verify('all', '--record').status).toBe(1);
    const [, proves, ...good] = rowOf('good');
    expect(proves).toBe('Good \\| holds.');
    expect(good.slice(0, 4)).toEqual([commit, today, 'yes', 'b: no b here']);
    expect(good[4]).toMatch(/^\d+$/);
    expect(good[5]).toMatch(/^\d+ × \S/);
    expect(rowOf('bad').slice(2, 6)).toEqual([commit, today, '**no**: c: exit status 5', 'nothing']);
    expect(rowOf('absent').slice(2, 6)).toEqual([commit, today, 'nothing was run', 'all parts: no tool']);
  });

  test('keeps the rows of other suites, and says which were never run', () => {
    const before = checkout.commit().slice(0, 12);
    checkout.verify('bad', '--record');
    expect(rowOf('good').slice(2, 5)).toEqual(['', '', 'not run yet']);
    const bad = rowOf('bad');
    expect(bad[2]).toBe(before);
    const after = checkout.commit().slice(0, 12);
    checkout.verify('good', '--record');
    expect(rowOf('bad')).toEqual(bad);
    expect(rowOf('good')[2]).toBe(after);
    // the page that was written is no change of the checkout: the next suite is recorded, too
    expect(checkout.verify('bad', '--record').stderr).toBe('');
    expect(rowOf('bad')[2]).toBe(after);
  });

  test('records what passed before an interruption with the seconds of that run', () => {
    checkout.verify('good');
    checkout.verify('good', '--record');
    expect(checkout.read('runs.log')).toBe('a\n');
    expect(rowOf('good')[4]).toBe('yes');
  });

  test.each([
    ['a changed file', () => checkout.write('suites.mjs', `${checkout.read('suites.mjs')}\n`), 'suites.mjs'],
    ['a new file', () => checkout.write('new.txt', ''), 'new.txt'],
    ['no checkout', () => checkout.delete('.git'), 'needs a commit to name'],
  ])('is refused before anything runs with %s', (_, change, message) => {
    change();
    const { status, stderr } = checkout.verify('good', '--record');
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(checkout.read('runs.log')).toBe('');
    expect(checkout.read('docs/verified.md')).toBe('');
  });

  test('nothing is recorded where a suite changes the files that the record would speak of', () => {
    checkout.define(
      "[{ name: 'only', proves: 'x', parts: () => [{ name: 'a', command: sh('touch new.txt') }] }]",
    );
    checkout.commit();
    const { status, stderr } = checkout.verify('only', '--record');
    expect(stderr).toContain('files changed during the run');
    expect(status).toBe(1);
    expect(checkout.read('docs/verified.md')).toBe('');
  });

  test('a page that was mended by hand into another shape is refused, not lost', () => {
    checkout.write('docs/verified.md', '| good | two cells |\n');
    const { status, stderr } = checkout.verify('good', '--record');
    expect(stderr).toContain('the row of good has 2 cells');
    expect(status).toBe(2);
    expect(checkout.read('runs.log')).toBe('');
    expect(checkout.read('docs/verified.md')).toBe('| good | two cells |\n');
  });
});
