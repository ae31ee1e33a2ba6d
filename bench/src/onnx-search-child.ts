/**
 * The same search by ONNX Runtime: a product and `TopK` in one graph, called once for each block of queries, as a user
 * writes it whose scores do not fit. Keys and results are tensors that are made once.
 */
import { GraphBuilder } from './onnx-graph-builder.js';
import { createSession, onnxRuntimeVersion, tensor } from './onnx-runtime.js';
import type { SearchPeer } from './search.js';
import { type Searcher, serveSearch } from './search-rounds.js';

const peer = JSON.parse(process.argv[2]) as SearchPeer;
const { dim, k, threads, blockRows } = peer;

function model(): Uint8Array {
  const graph = new GraphBuilder();
  graph.topK(graph.logits('block', 'keys', 1), k, { values: 'values', columns: 'columns' });
  const found = [blockRows, k];
  const inputs = { block: [blockRows, dim], keys: [peer.keys, dim] };
  return graph.model(inputs, { values: found, columns: found }, ['columns']);
}

async function makeSearcher(queries: Float32Array, keys: Float32Array): Promise<Searcher> {
  if (peer.queries % blockRows !== 0)
    throw new RangeError(`Expected blockRows to divide ${peer.queries} queries but received ${blockRows}`);
  const session = await createSession(model(), { threads, memoryPatterns: true });
  const scores = new Float32Array(peer.queries * k);
  const columns = new BigInt64Array(peer.queries * k);
  const keyTensor = tensor(keys, [peer.keys, dim]);
  return {
    version: onnxRuntimeVersion,
    async search() {
      for (let begin = 0; begin < peer.queries; begin += blockRows) {
        const [first, end] = [begin * k, (begin + blockRows) * k];
        const block = tensor(queries.subarray(begin * dim, (begin + blockRows) * dim), [blockRows, dim]);
        await session.run(
          { block, keys: keyTensor },
          {
            values: tensor(scores.subarray(first, end), [blockRows, k]),
            columns: tensor(columns.subarray(first, end), [blockRows, k]),
          },
        );
      }
      return { keys: columns, scores };
    },
  };
}

await serveSearch(peer, makeSearcher);
