/**
 * The hand-written code of a jax-js user for a batch whose logits do not fit: tiles, a log-sum-exp per tile,
 * the gradient tile by tile. It is jitted and runs on one thread (the wasm backend has one). One measured
 * loss with gradients per line on stdin.
 */
import { createInterface } from 'node:readline';
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np } from '@jax-js/jax';
import { unitRows } from './unit-rows.js';

const { rows, dim, tile } = JSON.parse(process.argv[2]) as { rows: number; dim: number; tile: number };
const scale = 1 / 0.07;
const queryData = unitRows(rows, dim, 1);
const keyData = unitRows(rows, dim, 2);

await init('wasm');
defaultDevice('wasm');

function tilesOf(data: Float32Array): np.Array[] {
  const rowsOf = (at: number) => Float32Array.from(data.subarray(at * dim, (at + tile) * dim));
  return Array.from({ length: rows / tile }, (_, t) => np.array(rowsOf(t * tile)).reshape([tile, dim]));
}

const logits = (q: np.Array, k: np.Array) => np.matmul(q, np.transpose(k)).mul(scale);

const fold = jit((q: np.Array, k: np.Array) => {
  const x = logits(q, k);
  return [nn.logsumexp(x.ref, 1), nn.logsumexp(x, 0)];
});

// g = (exp(x - a) + exp(x - b)) / 2B;  dQ = s g K,  dK = s g^T Q; the positives, -1/B on the diagonal, are added last
const differentiate = jit((q: np.Array, k: np.Array, a: np.Array, b: np.Array) => {
  const x = logits(q.ref, k.ref);
  const softmaxes = np.exp(x.ref.sub(a.reshape([tile, 1]))).add(np.exp(x.sub(b.reshape([1, tile]))));
  const g = softmaxes.mul(scale / (2 * rows));
  return [np.matmul(g.ref, k), np.matmul(np.transpose(g), q)];
});

async function oneRound(): Promise<number> {
  const q = tilesOf(queryData);
  const k = tilesOf(keyData);
  const start = performance.now();
  const merge = (sum: np.Array | undefined, term: np.Array) => (sum ? np.logaddexp(sum, term) : term);
  const add = (sum: np.Array | undefined, term: np.Array) => (sum ? sum.add(term) : term);
  const a: (np.Array | undefined)[] = [];
  const b: (np.Array | undefined)[] = [];
  for (let i = 0; i < q.length; i++) {
    for (let j = 0; j < k.length; j++) {
      const [rowLse, columnLse] = fold(q[i].ref, k[j].ref);
      a[i] = merge(a[i], rowLse);
      b[j] = merge(b[j], columnLse);
    }
  }
  const dq: (np.Array | undefined)[] = [];
  const dk: (np.Array | undefined)[] = [];
  for (let i = 0; i < q.length; i++) {
    for (let j = 0; j < k.length; j++) {
      const [ofQueries, ofKeys] = differentiate(q[i].ref, k[j].ref, a[i]!.ref, b[j]!.ref);
      dq[i] = add(dq[i], ofQueries);
      dk[j] = add(dk[j], ofKeys);
    }
  }
  for (let i = 0; i < q.length; i++) {
    dq[i] = dq[i]!.sub(k[i].ref.mul(scale / rows));
    dk[i] = dk[i]!.sub(q[i].ref.mul(scale / rows));
  }
  await blockUntilReady([...dq, ...dk] as np.Array[]);
  const seconds = (performance.now() - start) / 1e3;
  for (const array of [...q, ...k, ...a, ...b, ...dq, ...dk]) array!.dispose();
  return seconds;
}

await oneRound(); // compiles
console.log('ready');
for await (const _ of createInterface({ input: process.stdin })) console.log(await oneRound());
