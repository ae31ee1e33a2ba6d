/** A search as the bench compares it: its shape, what any contestant returns, and whether two of them agree. */
import { join } from 'node:path';
import type { TopK } from 'infcl';
import { LineProcess } from './line-process.js';
import { benchFolder, findOnnxRuntime, findUsearch } from './toolchain.js';

export interface SearchShape {
  queries: number;
  keys: number;
  dim: number;
}

/** `k` undefined: the loss alone, `infonce` of the same shape. */
export interface SearchCall {
  k?: number;
  threads: number;
}

/** What ours is started with; its greeting is a Growth in JSON, of the first calls. */
export interface SearchEngine extends SearchShape {
  first: SearchCall;
}

/** What a peer is started with. */
export interface SearchPeer extends SearchShape {
  k: number;
  threads: number;
  /** Queries searched at once, where the peer has blocks; divides `queries`. */
  blockRows: number;
}

/** [queries × k] each, best first. */
export interface Found {
  keys: ArrayLike<number | bigint>;
  scores: Float32Array;
}

function startChild(script: string, request: object): Promise<LineProcess> {
  const args = [join(benchFolder, 'dist', script), JSON.stringify(request)];
  return LineProcess.start({ file: process.execPath, args });
}

export const startSearch = (engine: SearchEngine) => startChild('search-child.js', engine);

export async function startOnnxSearch(peer: SearchPeer): Promise<LineProcess> {
  findOnnxRuntime();
  return startChild('onnx-search-child.js', peer);
}

export async function startUsearch(peer: SearchPeer): Promise<LineProcess> {
  findUsearch();
  return startChild('usearch-child.js', peer);
}

/** Two scores this close, relative to the largest one, may be in either order. */
const rounding = 1e-5;

/**
 * Largest difference of the scores at one place, relative to the largest score. Infinity where a key is found that the
 * other search has not, unless rounding may explain this: the key scores as the last one does.
 */
export function searchDifference(theirs: Found, { indices, scores, shape: [queries, k] }: TopK): number {
  if (theirs.keys.length !== indices.length || theirs.scores.length !== scores.length) return Infinity;
  let [difference, largest] = [0, 0];
  for (let at = 0; at < scores.length; at++) {
    difference = Math.max(difference, Math.abs(theirs.scores[at] - scores[at]));
    largest = Math.max(largest, Math.abs(scores[at]));
  }
  for (let query = 0; query < queries; query++) {
    const [begin, end] = [query * k, (query + 1) * k];
    const ours = new Set(indices.subarray(begin, end));
    const seen = new Set<number>();
    for (let at = begin; at < end; at++) {
      const key = Number(theirs.keys[at]);
      const isLast = Math.abs(theirs.scores[at] - scores[end - 1]) <= rounding * largest;
      if (seen.has(key) || !(ours.has(key) || isLast)) return Infinity;
      seen.add(key);
    }
  }
  return difference / largest;
}
