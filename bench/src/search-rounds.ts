/** What the process of a peer that searches does: it compares its result with `topK`, then answers each line (see peer-rounds.ts). */
import { topK } from 'infcl';
import { serveRounds } from './peer-rounds.js';
import { type Found, type SearchPeer, searchDifference } from './search.js';
import { unitRows } from './unit-rows.js';

export interface Searcher {
  version: string;
  /** Ends when a caller can read the results. */
  search(): Found | Promise<Found>;
}

/** Runs until stdin ends. `make` gets the features, [rows × dim] each. */
export async function serveSearch(
  peer: SearchPeer,
  make: (queries: Float32Array, keys: Float32Array) => Searcher | Promise<Searcher>,
): Promise<void> {
  const { dim, k, threads } = peer;
  const [queries, keys] = [unitRows(peer.queries, dim, 1), unitRows(peer.keys, dim, 2)];
  const { version, search } = await make(queries, keys);
  const ours = () =>
    topK({ data: queries, shape: [peer.queries, dim] }, { data: keys, shape: [peer.keys, dim] }, k, {
      threads,
    });
  const difference = async (theirs: Found) => searchDifference(theirs, await ours());
  await serveRounds({ version, call: search, difference });
}
