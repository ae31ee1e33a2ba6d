/** Runs the parts of one suite in order, says how each ended, and sums up. Keeps what passed for the next run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSameCommit } from './checkout.mjs';
import { runCommand } from './process.mjs';

export const longestSeconds = 1200;

/** The exit status by which a test program says that it could not check anything. */
const skippedStatus = 77;

const firstReason = (needs = []) => needs.map((need) => need()).find((reason) => reason !== null);

function judge(ended, limit) {
  if (ended.late) return { state: 'failed', why: `stopped: the suite took longer than ${limit} s` };
  if (ended.error) return { state: 'failed', why: `did not start: ${ended.error.message}` };
  if (ended.signal) return { state: 'failed', why: `ended by ${ended.signal}` };
  if (ended.status === skippedStatus) {
    return {
      state: 'skipped',
      why: `the program could not check anything here (exit status ${skippedStatus})`,
    };
  }
  return ended.status === 0 ? { state: 'passed' } : { state: 'failed', why: `exit status ${ended.status}` };
}

async function runPart(part, { root, limit, secondsLeft }) {
  if (part.script && !existsSync(join(root, part.script))) {
    return { state: 'failed', why: `${part.script} is missing`, seconds: 0 };
  }
  const reason = firstReason(part.needs);
  if (reason) return { state: 'skipped', why: reason, seconds: 0 };
  if (secondsLeft <= 0) return { state: 'failed', why: `not run: nothing is left of ${limit} s`, seconds: 0 };
  const start = performance.now();
  const env = { ...process.env, ...part.env };
  const ended = await runCommand({ command: part.command, cwd: root, env, seconds: secondsLeft });
  return { ...judge(ended, limit), seconds: (performance.now() - start) / 1e3 };
}

function report(suite, { name, state, why, seconds, before }) {
  const label = `${suite.name}: ${name}`;
  const time = `${seconds.toFixed(1)} s`;
  if (state === 'skipped') return console.log(`NOT CHECKED: ${label}: ${why}`);
  if (before) return console.log(`-- ${label}: passed before at this commit, in ${time}`);
  console.log(`-- ${label}: ${state === 'passed' ? 'passed' : `FAILED (${why})`} after ${time}`);
}

/** A suite failed if a part did, and passed only if a part passed that is more than a build. */
function sumUp(suite, results) {
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const failed = results.some((result) => result.state === 'failed');
  const passed = results.some((result) => result.state === 'passed' && !result.build);
  const ended = results.map((result) => result.ended).sort();
  return {
    suite,
    state: failed ? 'failed' : passed ? 'passed' : 'skipped',
    results,
    seconds,
    ended: ended.at(-1),
  };
}

/** The result of one part: of an earlier run where there is one, else of a run now. */
async function settle(part, { root, limit, used, progress, brokenBuild }) {
  const before = part.always ? undefined : progress?.find(part);
  if (before) return { state: 'passed', ...before, before: true };
  const result = brokenBuild
    ? { state: 'failed', why: `not run: "${brokenBuild}" failed`, seconds: 0 }
    : await runPart(part, { root, limit, secondsLeft: limit - used });
  return { ...result, ended: new Date().toISOString() };
}

/** `context`: root, checkout (of readCheckout), gate, progress (null: nothing is kept). */
export async function runSuite(suite, context) {
  const { root, checkout, gate, progress } = context;
  console.log(`\n== ${suite.name}: ${suite.proves}`);
  const why = firstReason(suite.needs);
  if (why) {
    console.log(`NOT CHECKED: ${suite.name}: ${why}`);
    const ended = new Date().toISOString();
    return sumUp(suite, [{ name: 'all parts', state: 'skipped', why, seconds: 0, ended }]);
  }
  const limit = suite.limit ?? longestSeconds;
  const results = [];
  let used = 0;
  let brokenBuild;
  for (const part of suite.parts({ commit: checkout.commit ?? '0'.repeat(40), gate })) {
    const result = await settle(part, { root, limit, used, progress, brokenBuild });
    results.push({ name: part.name, build: Boolean(part.always), ...result });
    report(suite, results.at(-1));
    used += result.seconds;
    if (part.always && result.state === 'failed') brokenBuild ??= part.name;
    const isNew = result.state === 'passed' && !result.before;
    if (isNew && isSameCommit(root, checkout)) progress?.keep(part, result);
  }
  return sumUp(suite, results);
}
