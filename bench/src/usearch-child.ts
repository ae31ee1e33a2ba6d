/**
 * The same search by `exactSearch` of usearch, which keeps 16 bytes for each pair of a query and a key. Its distance
 * `ip` is 1 - dot.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SearchPeer } from './search.js';
import { serveSearch } from './search-rounds.js';
import { hostsManifest } from './toolchain.js';

interface Usearch {
  MetricKind: { IP: string };
  exactSearch(
    keys: Float32Array,
    queries: Float32Array,
    dim: number,
    k: number,
    metric: string,
    threads: number,
  ): { keys: BigUint64Array; distances: Float32Array };
}

const { exactSearch, MetricKind } = createRequire(hostsManifest)('usearch') as Usearch;
const manifest = JSON.parse(readFileSync(hostsManifest, 'utf8')) as { dependencies: Record<string, string> };

const peer = JSON.parse(process.argv[2]) as SearchPeer;
const { dim, k, threads } = peer;

await serveSearch(peer, (queries, keys) => ({
  version: manifest.dependencies.usearch,
  search() {
    const found = exactSearch(keys, queries, dim, k, MetricKind.IP, threads);
    return { keys: found.keys, scores: found.distances.map((distance) => 1 - distance) };
  },
}));
