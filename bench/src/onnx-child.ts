/** Loss and both gradients by ONNX Runtime, into arrays that are allocated before: a peer (see peer-rounds.ts). */
import { blocksCall } from './onnx-blocks.js';
import { denseModel } from './onnx-dense.js';
import { createSession, onnxRuntimeVersion, tensor } from './onnx-runtime.js';
import { type LossAndGrads, servePeer } from './peer-rounds.js';
import { unitRows } from './unit-rows.js';
import type { OnnxRequest } from './yardsticks.js';

const request = JSON.parse(process.argv[2]) as OnnxRequest;
const { rows, dim, form } = request;
const scale = 1 / 0.07;
const queries = unitRows(rows, dim, 1);
const keys = unitRows(rows, dim, 2);

async function denseCall(dense: 'softmax' | 'log-sum-exp'): Promise<() => Promise<LossAndGrads>> {
  const session = await createSession(denseModel(request, dense, scale), request);
  const loss = new Float32Array(1);
  const queryGrads = new Float32Array(rows * dim);
  const keyGrads = new Float32Array(rows * dim);
  const matrix = (data: Float32Array) => tensor(data, [rows, dim]);
  const feeds = { queries: matrix(queries), keys: matrix(keys) };
  const fetches = { loss: tensor(loss, []), queryGrads: matrix(queryGrads), keyGrads: matrix(keyGrads) };
  return async () => {
    await session.run(feeds, fetches);
    return { loss: loss[0], queryGrads, keyGrads };
  };
}

const call =
  form === 'query blocks'
    ? await blocksCall({ ...request, scale }, { queries, keys })
    : await denseCall(form);

await servePeer({ version: onnxRuntimeVersion, queries, keys, dim, scale, call });
