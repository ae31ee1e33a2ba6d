/**
 * Dense loss of a tfjs user, differentiated by tfjs on its wasm backend, which has one thread in Node. A peer (see
 * peer-rounds.ts). Inputs are tensors before the clock starts; gradients are read into arrays, as a user of them must.
 */
import { createRequire } from 'node:module';
import type * as Tfjs from '@tensorflow/tfjs';
import { servePeer } from './peer-rounds.js';
import { unitRows } from './unit-rows.js';
import type { Shape } from './yardsticks.js';

const { rows, dim } = JSON.parse(process.argv[2]) as Shape;
const scale = 1 / 0.07;
// The packages are CommonJS, and Node finds no names in them for an import.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs') as typeof Tfjs;
require('@tensorflow/tfjs-backend-wasm');
await tf.setBackend('wasm');
await tf.ready();

const queries = unitRows(rows, dim, 1);
const keys = unitRows(rows, dim, 2);
const queryTensor = tf.tensor2d(queries, [rows, dim]);
const keyTensor = tf.tensor2d(keys, [rows, dim]);

function symmetricLoss(q: Tfjs.Tensor, k: Tfjs.Tensor): Tfjs.Scalar {
  const logits = tf.matMul(q, k, false, true).mul(scale);
  const normalisers = tf.logSumExp(logits, 1).add(tf.logSumExp(logits, 0)).div(2);
  const positives = q.mul(k).sum(1).mul(scale);
  return normalisers.sub(positives).mean() as Tfjs.Scalar;
}

const differentiate = tf.valueAndGrads(symmetricLoss as (...tensors: Tfjs.Tensor[]) => Tfjs.Scalar);

await servePeer({
  version: tf.version.tfjs,
  queries,
  keys,
  dim,
  scale,
  call() {
    const { value, grads } = tf.tidy(() => differentiate([queryTensor, keyTensor]));
    const [loss, queryGrads, keyGrads] = [value, ...grads].map((one) => one.dataSync() as Float32Array);
    tf.dispose([value, ...grads]);
    return { loss: loss[0], queryGrads, keyGrads };
  },
});
