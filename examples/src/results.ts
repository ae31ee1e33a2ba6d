/** All numbers of a run, as they go into report.json and the report's charts. Types only. */

import type { CcaResult } from './baseline/cca-baseline.js';
import type { Metrics } from './evaluate/retrieval.js';
import type { LossCost } from './measure/loss-cost.js';
import type { Sweep } from './measure/sweep.js';
import type { History } from './train/loop.js';

export interface Example {
  query: string;
  answer: string;
  rank: number;
  nearest: { text: string; similarity: number; hit: boolean; homophone: boolean }[];
}

export interface Results {
  data: {
    name: string;
    licence: string;
    leftName: string;
    rightName: string;
    candidates: number;
    train: number;
    validation: number;
    test: number;
  };
  config: {
    batch: number;
    steps: number;
    epochs: number;
    seed: number;
    learningRate: number;
    warmUp: number;
    dropout: number;
    mode: 'default' | 'quick' | 'sweep';
    /** Processes that trained together; absent for one. */
    ranks?: number;
  };
  machine: {
    cpu: string;
    cores: number;
    memoryBytes: number;
    platform: string;
    node: string;
    infcl: string;
    jax: string;
    isa: string;
    threads: number;
  };
  untrained: Metrics;
  model: Metrics;
  /** Left out of quick runs and of runs that diverged. */
  cca?: CcaResult;
  ceiling: Metrics;
  history: History;
  examples: Example[];
  /** Left out of runs that diverged, like the sweep. */
  lossCost?: LossCost;
  sweep?: Sweep;
  seconds: { phase: string; seconds: number }[];
  /** Peak of this process, children not included. */
  peakBytes: number;
}
