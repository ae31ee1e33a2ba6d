/** scripts/verify.mjs with tiny suites: what runs, what is not run again, and that no failure is lost. */
import { endProcess, FakeCheckout, isAlive, oneSuite, twoSuites } from './fake-checkout';

let checkout: FakeCheckout;
afterEach(() => checkout.remove());

describe('the command line', () => {
  beforeEach(() => {
    checkout = new FakeCheckout(twoSuites);
  });

  test('list prints each suite with what the suite proves, and runs none', () => {
    const { status, stdout } = checkout.verify('list');
    expect(stdout).toMatch(/^first +One holds\.\nsecond +Two holds\.\n$/);
    expect(status).toBe(0);
    expect(checkout.read('runs.log')).toBe('');
  });

  test.each([
    [[], 'name a suite'],
    [['third'], 'unknown suite third, expected all, list or some of: first, second'],
    [['first', 'third'], 'unknown suite third'],
    [['first', 'list'], 'list takes no other words'],
    [['first', '--nonsense'], "Unknown option '--nonsense'"],
    [['first', '--by-commit'], '--by-commit chooses the suite'],
    [['--by-commit', '--record'], '--record needs whole suites'],
    [['first', '--suites', '/nowhere.mjs'], '/nowhere.mjs cannot be loaded'],
    [['first', '--root', '/nowhere'], '--root /nowhere is not a folder'],
  ])('%j is refused before anything runs', (words, message) => {
    const { status, stderr } = checkout.verify(...words);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(checkout.read('runs.log')).toBe('');
  });

  test('a suite with more than 20 minutes is refused', () => {
    checkout.define(oneSuite("{ name: 'a', command: sh('true') }", 'limit: 1201,'));
    const { status, stderr } = checkout.verify('only');
    expect(stderr).toContain('the limit of suite only is 1201 s, expected at most 1200');
    expect(status).toBe(2);
  });

  test('runs the suites that are named, and all', () => {
    expect(checkout.verify('second').status).toBe(0);
    expect(checkout.read('runs.log')).toBe('c\n');
    const { stdout } = checkout.verify('all', '--fresh');
    expect(checkout.read('runs.log')).toBe('c\na\nb\nc\n');
    expect(stdout).toMatch(/first: a: passed after \d+\.\d s/);
    expect(stdout).toMatch(/verify: first: passed, \d+\.\d s\nverify: second: passed, \d+\.\d s\n$/);
  });
});

describe('failures', () => {
  test('a failing part fails the suite; parts after it and other suites run all the same', () => {
    checkout = new FakeCheckout(
      twoSuites.replace("'echo a >> runs.log'", "'exit 3'").replace("'echo c >>", "'echo again >>"),
    );
    const { status, stdout } = checkout.verify('all');
    expect(stdout).toContain('first: a: FAILED (exit status 3)');
    expect(stdout).toMatch(/verify: first: FAILED, .*\nverify: second: passed/);
    expect(checkout.read('runs.log')).toBe('b\nagain\n');
    expect(status).toBe(1);
  });

  test.each([
    ["{ name: 'a', command: ['./no-such-program'] }", 'did not start'],
    ["{ name: 'a', command: sh('kill -SEGV $$') }", 'ended by SIGSEGV'],
    ["{ name: 'a', script: 'no.sh', command: sh('touch ran.log') }", 'no.sh is missing'],
  ])('%s', (part, why) => {
    checkout = new FakeCheckout(oneSuite(part));
    const { status, stdout } = checkout.verify('only');
    expect(stdout).toContain(why);
    expect(stdout).toContain('only: FAILED');
    expect(status).toBe(1);
    expect(checkout.read('ran.log')).toBe('');
  });

  test('after a failed build nothing else is run, and nothing else passes', () => {
    const parts =
      "{ name: 'build', command: sh('false'), always: true }, { name: 'a', command: sh('touch ran.log') }";
    checkout = new FakeCheckout(oneSuite(parts));
    const { status, stdout } = checkout.verify('only');
    expect(stdout).toContain('only: a: FAILED (not run: "build" failed)');
    expect(status).toBe(1);
    expect(checkout.read('ran.log')).toBe('');
  });

  test('the limit stops a suite with every process that the suite has started', async () => {
    // the second process of the part has the same group, and pays no attention to the request to end
    const hang = `sh('(trap "" TERM; echo $BASHPID > pid.log; while true; do sleep 1; done) & wait')`;
    checkout = new FakeCheckout(
      oneSuite(
        `{ name: 'hang', command: ${hang} }, { name: 'late', command: sh('touch late.log') }`,
        'limit: 1,',
      ),
    );
    const { status, stdout } = checkout.verify('only');
    const pid = Number(checkout.read('pid.log'));
    try {
      expect(stdout).toContain('hang: FAILED (stopped: the suite took longer than 1 s)');
      expect(stdout).toContain('late: FAILED (not run: nothing is left of 1 s)');
      expect(status).toBe(1);
      expect(checkout.read('late.log')).toBe('');
      expect(pid).toBeGreaterThan(0);
      await checkout.waitFor(() => !isAlive(pid));
    } finally {
      endProcess(pid);
    }
  });
});

describe('what a machine lacks', () => {
  const lacking = "needs: [() => null, () => 'no such thing here']";

  test('a suite is skipped with the reason, and neither passed nor failed', () => {
    checkout = new FakeCheckout(oneSuite("{ name: 'a', command: sh('touch ran.log') }", `${lacking},`));
    const { status, stdout } = checkout.verify('only');
    expect(stdout).toContain('NOT CHECKED: only: no such thing here\n');
    expect(stdout).toMatch(/verify: only: skipped/);
    expect(stdout).not.toContain('passed');
    expect(status).toBe(0);
    expect(checkout.read('ran.log')).toBe('');
  });

  test('a part is skipped beside others that pass', () => {
    const parts = `{ name: 'a', ${lacking}, command: sh('false') }, { name: 'b', command: sh('true') }`;
    checkout = new FakeCheckout(oneSuite(parts));
    const { status, stdout } = checkout.verify('only');
    expect(stdout).toContain('NOT CHECKED: only: a: no such thing here\n');
    expect(stdout).toContain('verify: only: passed (1 of 2 parts skipped)');
    expect(status).toBe(0);
  });

  test('exit status 77 is a skip, and a build beside it proves nothing', () => {
    const parts =
      "{ name: 'build', command: sh('true'), always: true }, { name: 'a', command: sh('exit 77') }";
    checkout = new FakeCheckout(oneSuite(parts));
    const { status, stdout } = checkout.verify('only');
    expect(stdout).toContain('NOT CHECKED: only: a: the program could not check anything here');
    expect(stdout).toContain('verify: only: skipped');
    expect(status).toBe(0);
  });
});
