/**
 * Every sentence of the documentation whose figures come from a committed result. `npm run render --workspace bench`
 * writes the figures, and a test compares them. A figure without a committed result is not here: its page says how
 * and where it was measured.
 */

import { Figures, files, fixed, percent, whole } from './figures.js';
import { performanceClaims } from './performance-claims.js';
import { type Claim, claimsOf } from './render-figures.js';
import type { CommittedResult } from './results.js';

const { zen4, quiet, torchAgain, triangles, zen5, peers, search } = files;

const readme = claimsOf('README.md');
const measuring = claimsOf('docs/measuring.md');
const tuning = claimsOf('docs/tuning-notes.md');
const numerics = claimsOf('docs/numerics.md');

/** The documentation's claims, with values from these results. */
export function claims(results: readonly CommittedResult[]): Claim[] {
  const figures = new Figures(results);
  return [
    ...memoryClaims(figures),
    ...performanceClaims(figures),
    ...targetClaims(figures),
    ...torchClaims(figures),
    ...nodePeerClaims(figures),
    ...searchClaims(figures),
    ...peakClaims(figures),
    ...optionClaims(figures),
    ...fewRowsClaims(figures),
  ];
}

function memoryClaims(figures: Figures): Claim[] {
  const label = 'B 65536, D 256';
  const dense = figures.of(zen4, 'doubling', label, 'dense b×b MiB');
  return [
    readme`At 65,536 pairs, the matrix of all similarities takes ${whole(dense / 1024)} GiB in float32.`,
    readme`one call with all gradients took [${whole(figures.of(zen4, 'doubling', label, 'peak MiB'))} MiB beyond its inputs]`,
  ];
}

/** Limits of the table of targets, from the targets that the newest whole run was held to. */
function targetClaims(figures: Figures): Claim[] {
  const b8192 = 'B 8192, D 512';
  const one = { threads: 1 };
  const floor = (what: string, isa = 'avx512') => figures.limit('floor', `${b8192}, ${isa}`, what, one);
  const torch = (rows: number) => figures.limit('torch', `B ${rows}, D 512, ours with 2`, 'times faster');
  const small = 'B 65536, D 256, workspaceBytes 64 MiB';
  const more = 100 * (figures.limit('memory', small, 'time') - 1);
  return [
    measuring`| ≤ ${fixed(floor('ratio'), 2)} × the OpenBLAS floor, ≥ ${percent(floor('share of peak'))} % of FMA peak |`,
    measuring`| the same, beside multiply-adds in registers alternating with it | ≥ ${percent(figures.limit('peak', b8192, 'share', one))} % of them |`,
    measuring`| its kernels alone, while left to run | ≥ ${percent(figures.limit('kernels', b8192, 'share', one))} % of them |`,
    measuring`| the same, AVX2 | ≤ ${fixed(floor('ratio', 'avx2, floor Haswell'), 2)} × the floor of OpenBLAS's Haswell kernels |`,
    measuring`| 1 → 2 threads | ≥ ${fixed(figures.limit('threads', b8192, 'speedup'), 1)} × |`,
    measuring`| dense PyTorch, D = 512 | ≥ ${whole(torch(8192))} × faster at B = 8,192, ≥ ${whole(torch(16384))} × at 16,384 |`,
    measuring`| jax-js by hand, B = 4,096, D = 256 | ≥ ${whole(figures.limit('jax', 'B 4096, D 256, ours with 2', 'times faster'))} × faster |`,
    measuring`\`workspaceBytes: 64 MiB\` | ≤ 2.1 × B·D·4 bytes + 64 MiB, at ≤ ${whole(more)} % more time |`,
    measuring`| \`ntxent\` against \`clip\` on the same rows | ≤ ${fixed(figures.limit('options', 'ntxent', 'time'), 2)} × the time |`,
    measuring`| bfloat16 products against float32 | ≤ ${fixed(figures.limit('options', 'bfloat16 products', 'time'), 2)} × the time |`,
    measuring`| looking for NaN and infinity, B = 8,192 | < ${percent(figures.limit('checks', b8192, 'share'))} % of the call |`,
  ];
}

/** Dense PyTorch: its seconds, and how many times faster ours is by default and with a workspace for all logits. */
function torchClaims(figures: Figures): Claim[] {
  const small = 'B 8192, D 512, ours with 2';
  const large = 'B 16384, D 512, ours with 2';
  const [smallKept, largeKept] = [`${small}, workspace 384 MiB`, `${large}, workspace 1344 MiB`];
  const huge = ', PyTorch given huge pages';
  const seconds = (file: string, label: string) => figures.of(file, 'torch', label, 'torch s');
  const times = (file: string, label: string) => figures.of(file, 'torch', label, 'times faster');
  const both = (value: (file: string) => number) => [value(quiet), value(zen4)].sort((a, b) => a - b);
  const [s, S] = [small, large].map((label) => both((file) => seconds(file, label)));
  const [t, T] = [small, large].map((label) => both((file) => times(file, label)));
  const [k, K] = [smallKept, largeKept].map((label) => both((file) => times(file, label)));
  return [
    tuning`large tensor. It took ${fixed(s[0], 1)} and ${fixed(s[1], 1)} s at B = 8,192, ${fixed(S[0], 1)} and ${fixed(S[1], 1)} s at 16,384
(\`amd-epyc-2-quiet.json\`, \`amd-epyc-2.json\`). So it was beaten ${fixed(t[0], 1)} to ${fixed(t[1], 1)} and ${fixed(T[0], 2)} to ${fixed(T[1], 2)} times.
With a workspace for every logit it was beaten ${fixed(k[0], 1)} to ${fixed(k[1], 1)} and ${fixed(K[0], 1)} to ${fixed(K[1], 1)} times.`,
    tuning`where PyTorch took ${fixed(seconds(torchAgain, small), 1)} and ${fixed(seconds(torchAgain, large), 1)} s,
gave ${fixed(times(torchAgain, small), 2)} and ${fixed(times(torchAgain, large), 2)} times, ${fixed(times(torchAgain, smallKept), 2)} and ${fixed(times(torchAgain, largeKept), 2)} with the workspace.`,
    tuning`a fresh page is so dear that PyTorch took ${fixed(seconds(zen5, small), 1)} and ${whole(seconds(zen5, large))} s. It was beaten
${fixed(times(zen5, small), 1)} and ${fixed(times(zen5, large), 1)} times.`,
    tuning`it took ${fixed(seconds(zen5, small + huge), 1)} and ${fixed(seconds(zen5, large + huge), 1)} s, and was beaten
${fixed(times(zen5, small + huge), 1)} and ${fixed(times(zen5, large + huge), 1)} times.`,
  ];
}

/** The dense losses that run in Node: ONNX Runtime's fastest form, and tfjs. */
function nodePeerClaims(figures: Figures): Claim[] {
  const onnx = (rows: number, dim: number, column: string) =>
    figures.of(peers, 'onnx', `B ${rows}, D ${dim}, the fastest as it comes: softmax`, column);
  const times = (rows: number, dim: number) => fixed(onnx(rows, dim, 'times faster'), 2);
  const memory = (dim: number) => fixed(onnx(8192, dim, 'times less memory'), 1);
  const tfjs = figures.of(peers, 'tfjs', 'B 2048, D 256, ours with 1', 'times faster');
  const ours = (rows: number) => fixed(onnx(rows, 512, 'ours s'), 3);
  return [
    measuring`was beaten ${times(4096, 256)}, ${times(8192, 256)} and ${times(16384, 256)} times at D = 256 (B = 4,096, 8,192 and 16,384). At D = 512 it was beaten ${times(4096, 512)}, ${times(8192, 512)} and ${times(16384, 512)} times.`,
    measuring`It took ${memory(256)} and ${memory(512)} times the memory at B = 8,192.`,
    measuring`tfjs on one thread was beaten ${fixed(tfjs, 1)} times by one thread of ours`,
    measuring`Our ${ours(8192)} s and ${ours(16384)} s are`,
  ];
}

/** A search beside the loss alone, the product alone, and the exact searches of others. */
function searchClaims(figures: Figures): Claim[] {
  const label = (rows: number, k: number, what: string) => `M ${rows}, N 100000, D 256, k ${k}, ${what}`;
  const ratio = (k: number, what: string) =>
    fixed(figures.of(search, 'top-k', label(2048, k, `beside the ${what}`), 'ratio', { threads: 2 }), 3);
  const peer = (rows: number, k: number, what: string, column: string) =>
    figures.of(search, 'top-k-peers', label(rows, k, what), column);
  const onnx = 'ONNX Runtime, Gemm + TopK in blocks of 512';
  const usearch = 'usearch, exactSearch';
  const faster = (rows: number, k: number, what: string, digits: number) =>
    fixed(peer(rows, k, what, 'times faster'), digits);
  return [
    measuring`a search for k = 10 took ${ratio(10, 'loss alone')} of the time of the loss alone. A search for k = 100 took ${ratio(100, 'loss alone')}.`,
    measuring`k = 10 took ${ratio(10, 'product alone in blocks of 512, OpenBLAS')} of OpenBLAS's time for it.`,
    measuring`ONNX Runtime was beaten ${faster(2048, 10, onnx, 2)} times
(k = 10) and ${faster(2048, 100, onnx, 2)} times (k = 100), with ${fixed(peer(2048, 10, onnx, 'times less memory'), 1)} times our memory.`,
    measuring`usearch was beaten ${faster(512, 10, usearch, 1)} and ${faster(512, 100, usearch, 1)} times on 512 queries.`,
  ];
}

/** Whole calls, and kernels left to run, as shares of the multiply-adds beside them. */
function peakClaims(figures: Figures): Claim[] {
  const peak = (rows: number, dim: number, threads: number) =>
    percent(figures.of(zen5, 'peak', `B ${rows}, D ${dim}`, 'share of them', { threads }));
  const kernels = (dim: number, threads: number) =>
    percent(figures.of(zen5, 'kernels', `B 8192, D ${dim}`, 'all, share of multiply-adds', { threads }));
  return [
    tuning`| B 8,192, D 512, one thread | ${peak(8192, 512, 1)} % | ${kernels(512, 1)} % |`,
    tuning`| B 8,192, D 512 | ${peak(8192, 512, 2)} % | ${kernels(512, 2)} % |`,
    tuning`| B 8,192, D 256 | ${peak(8192, 256, 2)} % | ${kernels(256, 2)} % |`,
    tuning`| B 8,192, D 1,024 | ${peak(8192, 1024, 2)} % | ${kernels(1024, 2)} % |`,
    tuning`| B 8,192, D 1,536 | ${peak(8192, 1536, 2)} % | ${kernels(1536, 2)} % (one thread: ${kernels(1536, 1)} %) |`,
    tuning`| B 16,384, D 512 | ${peak(16384, 512, 2)} % | |`,
  ];
}

function optionClaims(figures: Figures): Claim[] {
  const time = (file: string, label: string) => fixed(figures.of(file, 'options', label, 'time / base'), 2);
  const products = figures.of(zen5, 'floor', 'B 8192, D 512, avx512', 'products', { threads: 2 });
  return [
    tuning`three products by default, ${time(zen5, 'infonce')} and ${time(zen5, 'siglip')} of \`clip\`'s time (the case \`options\` of Zen 5; ${fixed(products, 2)} products there).`,
    tuning`\`ntxent\` takes ${time(triangles, 'ntxent')} (\`amd-epyc-2-triangles.json\`) and ${time(zen5, 'ntxent')} (\`amd-epyc-zen5-2.json\`) of \`clip\`,
after ${time(quiet, 'ntxent')} (\`amd-epyc-2-quiet.json\`) and ${time(zen4, 'ntxent')} (\`amd-epyc-2.json\`).`,
  ];
}

/** Calls whose loss needed a float64 product: a call with gradients then counts more than its four products. */
function fewRowsClaims(figures: Figures): Claim[] {
  const ranges = (['loss and gradients', 'loss only'] as const).map((kind) =>
    figures.range(zen5, 'few-rows', 'time / base', (label, gflop) => {
      const [, rows, keys] = /M (\d+), N (\d+)/.exec(label)!.map(Number);
      const products = (1e9 * gflop) / (2 * rows * keys * 512);
      return rows >= 128 && label.endsWith(kind) && products > (kind === 'loss only' ? 1.5 : 4.5);
    }),
  );
  const [both, only] = ranges;
  return [
    numerics`took ${fixed(both.least, 1)} to ${fixed(both.most, 1)} times as long with gradients, and ${fixed(only.least, 1)} to ${fixed(only.most, 1)} times without`,
  ];
}
