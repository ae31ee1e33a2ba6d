/** The report stands alone, escapes what the data holds, and says what it left out. */

import { renderReport } from '../src/report/report.js';
import type { Results } from '../src/results.js';

const metrics = { recallAt1: 0.5, recallAt10: 0.75, meanReciprocalRank: 0.6, queries: 8, candidates: 64 };
const phase = { seconds: 0.1, bytes: 10 };
const step = {
  step: 1,
  loss: 2,
  accuracy: 0.5,
  scale: 20,
  learningRate: 0.01,
  seconds: 0.4,
  cost: { encode: phase, loss: phase, backward: phase, totalSeconds: 0.3, overheadRatio: 0.3 },
};
const results: Results = {
  data: {
    name: '<script>alert(1)</script>',
    licence: 'your file a&b.tsv',
    leftName: 'left',
    rightName: 'right',
    candidates: 64,
    train: 48,
    validation: 8,
    test: 8,
  },
  config: {
    batch: 12,
    steps: 4,
    epochs: 1,
    seed: 0,
    learningRate: 0.01,
    warmUp: 0.1,
    dropout: 0.2,
    mode: 'quick',
  },
  machine: {
    cpu: 'cpu',
    cores: 2,
    memoryBytes: 4e9,
    platform: 'linux',
    node: 'v20',
    infcl: '0.1.0',
    jax: '0.1.25',
    isa: 'avx2',
    threads: 2,
  },
  untrained: { ...metrics, recallAt1: 0 },
  model: metrics,
  ceiling: { ...metrics, recallAt1: 1 },
  history: { steps: [step, { ...step, step: 2 }], curve: [{ step: 2, recallAt1: 0.5 }] },
  examples: [
    {
      query: 'q<b>',
      answer: 'a&b',
      rank: 2,
      nearest: [
        { text: 'x<i>', similarity: 0.9, hit: false, homophone: true },
        { text: 'a&b', similarity: 0.8, hit: true, homophone: false },
      ],
    },
  ],
  lossCost: {
    dim: 128,
    points: [
      { kind: 'ours', batch: 1024, milliseconds: 10, peakBytes: 1e6, beforeBytes: 1e8, loss: 1 },
      { kind: 'ours', batch: 2048, milliseconds: 40, peakBytes: 2e6, beforeBytes: 1e8, loss: 1 },
      { kind: 'dense', batch: 1024, milliseconds: 50, peakBytes: 4e7, beforeBytes: 1e8, loss: 1 },
    ],
    ends: [
      { kind: 'ours', reason: 'end of ours' },
      { kind: 'dense', reason: 'end of dense' },
    ],
  },
  seconds: [{ phase: 'training', seconds: 3 }],
  peakBytes: 1e8,
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

test('colours of the charts follow the page', () => {
  expect(html).toContain('var(--ours)');
  expect(html).not.toMatch(/#0a0b0\d/);
});

test('parts left out are named', () => {
  expect(html).toContain('The linear CCA baseline is left out of quick runs');
  expect(html).toContain('end of dense');
});

test('with a sweep, the best batch of each panel is said', () => {
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
  const withSweep = renderReport({ ...results, config: { ...results.config, mode: 'default' }, sweep });
  expect(withSweep).toContain('Here 48 was best at equal pairs (75.0 %)');
  expect(withSweep).toContain('12 at equal time (62.5 %)');
  expect(withSweep).toContain('1 more seed was left out');
});
