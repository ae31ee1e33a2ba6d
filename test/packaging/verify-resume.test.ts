/** scripts/verify.mjs after an interruption and at other commits: what runs again, and which suite a commit chooses. */
import { FakeCheckout, hasGit, oneSuite, twoSuites } from './fake-checkout';

const inGit = hasGit ? describe : describe.skip;

let checkout: FakeCheckout;
afterEach(() => checkout.remove());

inGit('what passed before', () => {
  const suite = oneSuite(`
    { name: 'build', always: true, command: sh('echo build >> runs.log') },
    { name: 'a', command: sh('echo a >> runs.log') },
    { name: 'b', command: sh('echo b >> runs.log; [ -e go.log ] || { touch at-b.log; sleep 60; }') }`);
  const runs = () => checkout.read('runs.log').trim().split('\n').join(' ');
  beforeEach(() => {
    checkout = new FakeCheckout(suite);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a run that %s ended goes on where it stopped', async (signal, status) => {
    expect(await checkout.interrupt('at-b.log', signal, 'only')).toBe(status);
    expect(runs()).toBe('build a b');
    checkout.write('go.log', '');
    const { stdout } = checkout.verify('only');
    expect(stdout).toMatch(/only: a: passed before at this commit, in \d/);
    expect(stdout).toMatch(/only: b: passed after/);
    expect(runs()).toBe('build a b build b');
  });

  describe('is not run again', () => {
    beforeEach(() => {
      checkout.write('go.log', '');
      checkout.verify('only');
      checkout.verify('only');
      expect(runs()).toBe('build a b build');
    });

    test.each<[string, () => void]>([
      ['--fresh', () => checkout.verify('only', '--fresh')],
      [
        'a new commit',
        () => {
          checkout.commit();
          checkout.verify('only');
        },
      ],
      [
        'uncommitted changes',
        () => {
          checkout.write('new.txt', '');
          checkout.verify('only');
        },
      ],
      [
        'another instruction set',
        () => {
          process.env.INFCL_ISA = 'scalar';
          try {
            checkout.verify('only');
          } finally {
            delete process.env.INFCL_ISA;
          }
        },
      ],
    ])('except after %s', (_, runAgain) => {
      runAgain();
      expect(runs()).toBe('build a b build build a b');
    });
  });

  test('with uncommitted changes nothing is kept', () => {
    checkout.write('go.log', '');
    checkout.write('new.txt', '');
    expect(checkout.verify('only').stdout).toContain('no earlier result counts and none is kept');
    checkout.verify('only');
    expect(runs()).toBe('build a b build a b');
  });

  test('a part during which files changed is not kept', () => {
    checkout.define(oneSuite("{ name: 'a', command: sh('echo a >> runs.log; touch new.txt') }"));
    checkout.commit();
    expect(checkout.verify('only').status).toBe(0);
    checkout.delete('new.txt');
    expect(checkout.verify('only').status).toBe(0);
    expect(runs()).toBe('a a');
  });

  test('a part that failed runs again', () => {
    checkout.define(oneSuite("{ name: 'a', command: sh('echo a >> runs.log; [ -e go.log ]') }"));
    checkout.commit();
    expect(checkout.verify('only').status).toBe(1);
    checkout.write('go.log', '');
    expect(checkout.verify('only').status).toBe(0);
    expect(runs()).toBe('a a');
  });
});

inGit('--by-commit', () => {
  const suites = ['one', 'two', 'three']
    .map(
      (name) => `{ name: '${name}', proves: 'It holds.',
      parts: ({ commit, gate }) => [{ name: 'a', command: sh(\`echo ${name} \${commit} \${gate} >> runs.log\`) }] }`,
    )
    .join(',');

  test('runs one suite, of which every one has its turn, in the form for the gate', () => {
    checkout = new FakeCheckout(`[${suites}]`);
    const seen = new Set<string>();
    for (let turn = 0; turn < 60 && seen.size < 3; turn += 1) {
      const commit = checkout.commit(`turn ${turn}`);
      checkout.write('runs.log', '');
      expect(checkout.verify('--by-commit').status).toBe(0);
      const [name, told, gate, ...more] = checkout.read('runs.log').trim().split(' ');
      expect([told, gate, more]).toEqual([commit, 'true', []]);
      seen.add(name!);
      checkout.verify('--by-commit', '--fresh');
      expect(checkout.read('runs.log').trim().split('\n')).toHaveLength(2);
      expect(checkout.read('runs.log')).toBe(`${name} ${commit} true\n`.repeat(2));
    }
    expect([...seen].sort()).toEqual(['one', 'three', 'two']);
  });

  test('a failure of that suite is the exit status', () => {
    checkout = new FakeCheckout(oneSuite("{ name: 'a', command: sh('false') }"));
    expect(checkout.verify('--by-commit').status).toBe(1);
  });
});

test('--by-commit without a checkout says that nothing was checked', () => {
  checkout = new FakeCheckout(twoSuites);
  checkout.delete('.git');
  const { status, stdout } = checkout.verify('--by-commit');
  expect(stdout).toMatch(/^NOT CHECKED: the suite that belongs to this commit: no commit is known \(.+\)$/m);
  expect(stdout).not.toContain('passed');
  expect(status).toBe(0);
  expect(checkout.read('runs.log')).toBe('');
});
