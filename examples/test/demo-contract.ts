/**
 * What the icon demo and the detection demo promise alike: when a run fails, what a report may hold, and what a wrong
 * command line says. Each demo's own tests call these with its own results.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { History } from '../src/train/loop.js';

interface RunResults {
  config: { mode: 'quick' | 'default' };
  history: History;
  judged: unknown[];
}

interface Verdict {
  failed: boolean;
  lines: readonly string[];
}

/** @param withTrained Results of a quick run whose trained model has this accuracy. */
export function describeVerdict<R extends RunResults>(
  judge: (results: R) => Verdict,
  withTrained: (accuracy: number) => R,
  { good, bad }: { good: number; bad: number },
): void {
  describe('the verdict', () => {
    test('of a quick run needs a margin', () => {
      expect(judge(withTrained(good))).toMatchObject({
        failed: false,
        lines: [expect.stringContaining('passed')],
      });
      expect(judge(withTrained(bad))).toMatchObject({
        failed: true,
        lines: [expect.stringContaining('FAILED')],
      });
      expect(judge({ ...withTrained(good), judged: [] })).toMatchObject({ failed: true });
    });

    test('of a run that diverged is a failure, and names the step', () => {
      const run = withTrained(0.9);
      const diverged = { step: 7, what: 'the loss is NaN' };
      expect(judge({ ...run, history: { ...run.history, diverged } })).toMatchObject({
        failed: true,
        lines: [expect.stringContaining('step 7: the loss is NaN')],
      });
    });

    test('of a whole run is no judgement of its accuracy', () => {
      const run = withTrained(0.2);
      const config = { ...run.config, mode: 'default' as const };
      expect(judge({ ...run, config })).toEqual({ failed: false, lines: [] });
    });
  });
}

/**
 * @param results Of which one name is `<script>alert(1)</script>`.
 * @param live The same while the run trains, without a page.
 * @param shows What the page of `results` must contain.
 */
export function describeReport<R extends RunResults>(
  render: (results: R) => string,
  { results, live, link, shows }: { results: R; live: R; link: string; shows: readonly string[] },
): void {
  describe('the report', () => {
    const html = render(results);

    test('fetches nothing, runs nothing, and takes names for text', () => {
      expect(html).not.toMatch(/<script|<link|<img|@import|url\(\s*['"]?http|\ssrc=/i);
      expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(html).not.toMatch(/NaN|undefined|#0a0b0\d/);
    });

    test('shows every figure, and where the page is', () => {
      for (const figure of shows) expect(html).toContain(figure);
      expect(html).toContain(`href="${link}"`);
    });

    test('loads itself again while the run trains, and only then', () => {
      expect(html).not.toContain('http-equiv="refresh"');
      expect(render(live)).toContain('http-equiv="refresh"');
      expect(render(live)).not.toContain(`href="${link}"`);
    });

    test('of a run that has not made a step, or diverged, is still a page', () => {
      const empty = render({ ...results, history: { steps: [], curve: [] }, judged: [] });
      expect(empty).not.toMatch(/NaN|undefined|Infinity/);
      const history = { steps: [], curve: [], diverged: { step: 1, what: 'the loss is <NaN>' } };
      expect(render({ ...results, history })).toContain('diverged at step 1: the loss is &lt;NaN&gt;');
    });
  });
}

/**
 * @param wrong Of each wrong command line: what it is, the arguments, a part of the message. The folder has a file
 * `file`, and a folder in the place of the page in `taken`.
 */
export function describeCommand(
  main: (args: string[], folder: string) => Promise<number>,
  { page, wrong, flags }: { page: string; wrong: [string, string[], string][]; flags: readonly string[] },
): void {
  describe('the command', () => {
    let folder: string;
    let said: string[];
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'infcl-demo-'));
      said = [];
      jest.spyOn(console, 'error').mockImplementation((line) => said.push(line));
    });
    afterEach(() => {
      jest.restoreAllMocks();
      rmSync(folder, { recursive: true });
    });

    // each of these ends before any package is looked for
    test.each([
      ...wrong,
      ['--out that is a file', ['--out', 'file'], 'file is a file: choose another --out'],
      ['--resume without a checkpoint', ['--out', 'empty', '--resume'], 'for --resume but there is none'],
      ['a folder in the place of the page', ['--out', 'taken'], `${page} but found another kind of entry`],
    ])('%s is one line, and exit code 2', async (_, args, message) => {
      writeFileSync(join(folder, 'file'), '');
      mkdirSync(join(folder, 'taken', page), { recursive: true });
      expect(await main(args, folder)).toBe(2);
      expect(said).toEqual([expect.stringContaining(message)]);
    });

    test('--help lists every flag', async () => {
      const written: string[] = [];
      jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
        written.push(String(text));
        return true;
      });
      expect(await main(['--help'], folder)).toBe(0);
      for (const flag of flags) expect(written.join('')).toContain(flag);
    });
  });
}
