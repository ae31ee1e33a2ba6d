/** The steps of .ci/run: no failure and no check that was left out may be missing from the summary. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const steps = join(root, '.ci', 'steps.sh');
const reader = join(root, 'scripts', 'verify', 'not-checked.mjs');

/** Runs a gate of these lines, and returns its exit status and what follows "== summary". */
function gate(...lines: string[]) {
  const text = ['set -euo pipefail', `source ${steps}`, ...lines, 'run_steps'].join('\n');
  const { status, stdout } = spawnSync('bash', ['-c', text], { encoding: 'utf8' });
  return { status, stdout, summary: stdout.split('== summary\n')[1] ?? '' };
}

describe('steps', () => {
  test('that pass are summed up with their seconds', () => {
    const { status, stdout, summary } = gate('one() { sleep 1; }', 'step "first one" one', 'step other true');
    expect(stdout).toMatch(/^-- first one: ok after [1-9] s$/m);
    expect(summary).toMatch(/^ok after [1-9] s +first one\nok after \d s +other\npassed after [1-9] s/);
    expect(status).toBe(0);
  });

  test.each([
    ['a command in the middle', 'bad() { false; echo went on; }', 1],
    ['the first command of a pipe', 'bad() { (exit 5) | cat; echo went on; }', 5],
    ['an unset variable', 'bad() { echo "$unset"; echo went on; }', 1],
  ])('that fail end the gate: %s', (_, bad, exit) => {
    const { status, stdout, summary } = gate(bad, 'step first true', 'step second bad', 'step third true');
    expect(summary).toMatch(/^ok .* first\nFAILED after \d s +second\nnot reached +third\nFAILED after/);
    expect(stdout).not.toContain('went on');
    expect(status).toBe(exit);
  });

  test('that a signal interrupts are no success', () => {
    const { status, summary } = gate(
      'slow() { kill -TERM $$; sleep 1; }',
      'step first slow',
      'step second true',
    );
    expect(summary).toMatch(/^interrupted +first\nnot reached +second\nFAILED after/);
    expect(status).toBe(143);
  });

  test('whose program is missing are not run, and the summary says so', () => {
    const { status, stdout, summary } = gate('no() { echo ran; }', 'step kernels no no-such-program');
    expect(summary).toMatch(/^not run +kernels\nNOT CHECKED: kernels: there is no no-such-program on PATH\n/);
    expect(stdout).not.toMatch(/^ran$/m);
    expect(status).toBe(0);
  });

  test('that are late are run within 45 minutes alone, and the summary says so', () => {
    const late = ['no() { echo ran; }', 'late_step threads no'];
    expect(gate(...late).stdout).toMatch(/^ran$/m);
    const { status, stdout, summary } = gate('SECONDS=2701', ...late, 'step last true');
    expect(stdout).not.toMatch(/^ran$/m);
    expect(summary).toMatch(/^not run +threads\nok after .* last\n/);
    expect(summary).toMatch(
      /^NOT CHECKED: threads: this machine is too slow: the steps before took 27\d\d s$/m,
    );
    expect(status).toBe(0);
  });

  test('repeat what they did not check in the summary, also after a failure', () => {
    const say =
      'say() { echo "NOT CHECKED: a: b"; echo "say NOT CHECKED: no"; echo "NOT CHECKED: a: b" >&2; }';
    const { summary } = gate(say, 'step first say', 'step second false');
    expect(summary.match(/NOT CHECKED: .*/g)).toEqual(['NOT CHECKED: a: b']);
  });

  test('a gate of more than 45 minutes is called too slow', () => {
    expect(gate('SECONDS=2701', 'step first true').summary).toContain('TOO SLOW');
    expect(gate('step first true').summary).not.toContain('TOO SLOW');
  });
});

test('jest leaves test/hosts to the step of that name, whose configuration finds these tests alone', () => {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const list = (...options: string[]) =>
    spawnSync(process.execPath, [jest, '--listTests', ...options], { cwd: root, encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean)
      .map((file) => file.slice(root.length + 1));
  const isOfHosts = (file: string) => file.startsWith('test/hosts/');
  expect(list().length).toBeGreaterThan(50);
  expect(list().filter(isOfHosts)).toEqual([]);
  const hosts = list('--config', 'test/hosts/jest.config.js');
  expect(hosts).toContain('test/hosts/conventions.test.ts');
  expect(hosts.filter((file) => !isOfHosts(file))).toEqual([]);
});

describe('reports', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-gate-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function notChecked(kind: string, text: string) {
    const file = join(folder, 'report');
    writeFileSync(file, text);
    return spawnSync(process.execPath, [reader, kind, file], { cwd: root, encoding: 'utf8' });
  }

  /** Three native tests, of which ctest itself runs two: one passes, one says that it cannot run, one is disabled. */
  function ctestReport(): string {
    const lists = `cmake_minimum_required(VERSION 3.18)\nproject(x NONE)\nenable_testing()
add_test(NAME good COMMAND \${CMAKE_COMMAND} -E echo fine)
add_test(NAME odd COMMAND \${CMAKE_COMMAND} -E echo "NOT RUN: for lack of <a> & b")
set_tests_properties(odd PROPERTIES SKIP_REGULAR_EXPRESSION "NOT RUN")
add_test(NAME none COMMAND \${CMAKE_COMMAND} -E echo fine)
set_tests_properties(none PROPERTIES DISABLED ON)\n`;
    writeFileSync(join(folder, 'CMakeLists.txt'), lists);
    const build = join(folder, 'build');
    const report = join(folder, 'ctest.xml');
    spawnSync('cmake', ['-S', folder, '-B', build]);
    spawnSync('ctest', ['--test-dir', build, '--output-junit', report]);
    return readFileSync(report, 'utf8');
  }

  test('of ctest: tests that were skipped or disabled, with the reason', () => {
    const { status, stdout } = notChecked('ctest', ctestReport());
    expect(stdout).toMatch(
      /^NOT CHECKED: native test odd: for lack of <a> & b\nNOT CHECKED: native test none: .*\n$/,
    );
    expect(status).toBe(0);
  });

  test('of jest: skipped tests with their full names, by jest itself', () => {
    const test = join(folder, 'some.test.js');
    writeFileSync(
      test,
      "describe('group', () => { it('runs', () => {}); it.skip('no card', () => {}); it.todo('later'); });",
    );
    const report = join(folder, 'jest.json');
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const options = ['--rootDir', folder, '--config', '{}', '--json', '--outputFile', report];
    spawnSync(process.execPath, [jest, ...options], { cwd: folder });
    const { status, stdout } = notChecked('jest', readFileSync(report, 'utf8'));
    expect(stdout).toMatch(
      /^NOT CHECKED: jest test in .*some\.test\.js: group no card\nNOT CHECKED: .*: group later\n$/,
    );
    expect(status).toBe(0);
  });

  test.each([
    ['ctest', '<?xml version="1.0"?><testsuite></testsuite>', 'lists no tests'],
    ['jest', '{"testResults":[]}', 'lists no tests'],
    ['jest', '{', 'is no report of jest'],
  ])('of %s that hold nothing are errors: %j', (kind, text, message) => {
    const { status, stderr } = notChecked(kind, text);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });

  test.each([[[]], [['ctest']], [['mocha', 'x']], [['jest', 'x', 'y']]])(
    '%j is a wrong command line',
    (args) => {
      const { status, stderr } = spawnSync(process.execPath, [reader, ...args], { encoding: 'utf8' });
      expect(stderr).toContain('usage:');
      expect(status).toBe(2);
    },
  );
});
