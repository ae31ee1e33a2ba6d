/** The report stands alone, escapes what the data holds, and says what it left out. */

import { html as markup } from '../src/report/html.js';
import { renderReport } from '../src/report/report.js';
import type { Results } from '../src/results.js';
import { results } from './results-sample.js';

const run = { seed: 0, steps: 4, pairs: 48, seconds: 1 };
const sweep = {
  runs: [
    { ...run, panel: 'pairs' as const, batch: 12, recallAt1: 0.5 },
    { ...run, panel: 'pairs' as const, batch: 48, recallAt1: 0.75 },
    { ...run, panel: 'time' as const, batch: 12, recallAt1: 0.625 },
    { ...run, panel: 'time' as const, batch: 48, recallAt1: 0.25 },
  ],
  epochs: 1,
  seeds: 1,
  seedsLeftOut: 1,
  batches: [12, 48],
  queries: 8,
  learningRate: 0.05,
};
const mode = 'default' as const;
const cca = {
  metrics: results.model,
  directions: 512,
  ridge: 0.01,
  tried: [{ ridge: 0.01, recallAt1: 0.5 }],
  seconds: 3,
};

const html = renderReport(results);

test('nothing is fetched and nothing runs', () => {
  expect(html).not.toMatch(/<script|<link|<img|@import|url\(\s*['"]?http|src=/i);
  expect(html).toContain('<svg role="img"');
});

test('strings of the data are text', () => {
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('q&lt;b&gt;');
  expect(html).toContain('<span class="word same">x&lt;i&gt;</span>');
  expect(html).toContain('<span class="word hit">a&amp;b</span>');
});

/**
 * Every leaf of the results, as a path and a way to put another value there, whatever its type says. Lists give their
 * first item only: the others go through the same code.
 */
function leavesOf(value: object, path = ''): { path: string; put: (text: string) => void }[] {
  const entries = Object.entries(value).slice(0, Array.isArray(value) ? 1 : undefined);
  return entries.flatMap(([key, inner]) => {
    const name = `${path}.${key}`;
    if (typeof inner === 'object' && inner !== null) return leavesOf(inner, name);
    return [{ path: name, put: (text: string) => Object.assign(value, { [key]: text }) }];
  });
}

describe('no value of the results can become markup, not even one of the wrong type', () => {
  const hostile = `"'><script>alert(1)</script>`;
  const all = (): Results => structuredClone({ ...results, cca, sweep, config: { ...results.config, mode } });
  const paths = leavesOf(all()).map(({ path }) => path);
  let shown = 0;
  test.each(paths)('%s', (path) => {
    const bad = all();
    leavesOf(bad)
      .find((leaf) => leaf.path === path)!
      .put(hostile);
    let page: string;
    try {
      page = renderReport(bad);
    } catch (error) {
      // numbers are formatted as numbers: a string has no toFixed
      expect(error).toBeInstanceOf(TypeError);
      return;
    }
    if (page.includes('alert(1)')) shown++;
    expect(page).not.toMatch(/<script/i);
    expect(page).not.toContain(`"'>`);
  });
  // otherwise the rows above would pass because nothing is shown at all
  test('some of them are shown', () => expect(shown).toBeGreaterThan(15));
});

test('a template escapes what it is given, and only markup made by a template is taken as such', () => {
  const inner = markup`<b>${'<i>'}</b>`;
  expect(markup`<p title="${`"'`}">${inner}${[inner, '&']}${'</p>' as unknown as number}</p>`.text).toBe(
    '<p title="&quot;&#39;"><b>&lt;i&gt;</b><b>&lt;i&gt;</b>&amp;&lt;/p&gt;</p>',
  );
  expect(markup`${`${inner}`}`.text).not.toContain('<b>');
});

test('a run that diverged says so first, with its step, and leaves out the rest', () => {
  const page = renderReport({
    ...results,
    lossCost: undefined,
    history: { steps: [], curve: [], diverged: { step: 1, what: 'the loss is <NaN>' } },
  });
  expect(page).toContain('Training diverged at step 1: the loss is &lt;NaN&gt;');
  expect(page).toContain('Left out of runs that diverge');
  expect(page).not.toMatch(/NaN s|undefined|Infinity/);
});

test('a training of the sweep that diverged is named', () => {
  const runs = sweep.runs.map((run) => ({ ...run, divergedAt: run.batch === 12 ? 3 : undefined }));
  const page = renderReport({ ...results, sweep: { ...sweep, runs } });
  expect(page).toContain('equal pairs, batch 12, seed 0 diverged at step 3');
  expect(page).not.toContain('batch 48, seed 0 diverged');
});

test('colours of the charts follow the page', () => {
  expect(html).toContain('var(--ours)');
  expect(html).not.toMatch(/#0a0b0\d/);
  // a quote within an attribute would end the attribute
  expect(html).not.toContain('"Segoe UI", Roboto, "Noto Sans", sans-serif;"');
  // a pointer above a shape must not bring a colour of neither theme
  expect(html).not.toMatch(/:hover|rgba\(/);
});

test('parts left out are named', () => {
  expect(html).toContain('The linear CCA baseline is left out of quick runs');
  expect(html).toContain('end of dense');
});

test('with a sweep, the best batch of each panel is said', () => {
  const withSweep = renderReport({ ...results, config: { ...results.config, mode: 'default' }, sweep });
  expect(withSweep).toContain('Here 48 was best at equal pairs (75.0 %)');
  expect(withSweep).toContain('12 at equal time (62.5 %)');
  expect(withSweep).toContain('1 more seed was left out');
});
