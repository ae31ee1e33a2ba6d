/**
 * Small problems by number, the same in every thread and process, and a digest of a result's bits: what two threads
 * computed is equal or it is not. Refuses tolerances.
 */
import { createHash } from 'node:crypto';
import {
  type ContrastiveOptions,
  contrastiveLossAndGradSync,
  type LossAndGradResult,
  type MatrixLike,
} from '../../lib';

export interface NumberedProblem {
  queries: MatrixLike & { data: Float32Array };
  keys: MatrixLike & { data: Float32Array };
  options: ContrastiveOptions;
}

/** [0, 1), from a counter: every run meets the same moments and shapes. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let h = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Rows of length about one. */
export function features(rows: number, dim: number, seed: number) {
  const random = seeded(seed);
  const scale = Math.sqrt(12 / dim);
  const data = new Float32Array(rows * dim);
  for (let at = 0; at < data.length; at++) data[at] = (random() - 0.5) * scale;
  return { data, shape: [rows, dim] as const };
}

/** Every objective, and the paths that options switch on. */
export function problem(number: number, largest = 300): NumberedProblem {
  const random = seeded(1000 + number);
  const rows = 2 + Math.floor(random() * largest);
  const dim = 1 + Math.floor(random() * 48);
  const ids = Int32Array.from({ length: rows }, () => Math.floor(random() * rows));
  const labels = Int32Array.from({ length: rows }, () => Math.floor(random() * 7));
  const choices: ContrastiveOptions[] = [
    { objective: 'clip' },
    { objective: 'infonce', labelSmoothing: 0.1 },
    { objective: 'ntxent' },
    { objective: 'supcon', labels },
    { objective: 'siglip', logitBias: -3 },
    { objective: 'clip', queryIds: ids, keyIds: ids, falseNegativeMargin: 0.1 },
    { directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] },
  ];
  return {
    queries: features(rows, dim, 2 * number + 1),
    keys: features(rows, dim, 2 * number + 2),
    options: { ...choices[number % choices.length], logitScale: 10 },
  };
}

export function digest(result: LossAndGradResult): string {
  const hash = createHash('sha256');
  hash.update(Float64Array.of(result.loss, result.logitScaleGrad, result.logitBiasGrad));
  return hash.update(result.queryGrads).update(result.keyGrads).digest('hex');
}

export function solve(number: number, largest?: number): string {
  const { queries, keys, options } = problem(number, largest);
  return digest(contrastiveLossAndGradSync(queries, keys, options));
}
