/** The results of a small made-up run, for tests of what is made of results. Refuses to be read as measurements. */

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
export const results: Results = {
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
