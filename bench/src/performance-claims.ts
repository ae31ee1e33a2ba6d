/** The sentences and tables of performance.md, comparison.md and README.md, and the figures of the charts. */

import { type Figures, files, fixed, percent, whole } from './figures.js';
import { type Claim, claimsOf } from './render-figures.js';

const { zen4, zen5, peers, search } = files;
const performance = claimsOf('docs/performance.md');
const comparison = claimsOf('docs/comparison.md');
const readme = claimsOf('README.md');

/** A peer at one shape. The first one of a library names the library. */
export interface PeerFigure {
  /** The cells of the row in the table, before its figures. */
  cells: string;
  /** The label in the chart. */
  label: string;
  timesFaster: number;
  /** Not every case measures memory. */
  timesLessMemory?: number;
}

export function peerFigures(figures: Figures): PeerFigure[] {
  const onnx = (dim: number) => {
    const of = (column: string) =>
      figures.of(peers, 'onnx', `B 8192, D ${dim}, the fastest as it comes: softmax`, column);
    return { timesFaster: of('times faster'), timesLessMemory: of('times less memory') };
  };
  const zen5Times = (name: string, label: string) => figures.of(zen5, name, label, 'times faster');
  const tfjs = (column: string) => figures.of(peers, 'tfjs', 'B 2048, D 256, ours with 1', column);
  const torch = 'B 8192, D 512, ours with 2';
  return [
    { cells: 'ONNX Runtime, dense graph | B 8,192, D 256', label: 'ONNX Runtime, D 256', ...onnx(256) },
    { cells: '| B 8,192, D 512', label: 'ONNX Runtime, D 512', ...onnx(512) },
    {
      cells: 'PyTorch, dense, with huge pages | B 8,192, D 512',
      label: 'PyTorch, huge pages',
      timesFaster: zen5Times('torch', `${torch}, PyTorch given huge pages`),
    },
    {
      cells: 'PyTorch, dense | B 8,192, D 512',
      label: 'PyTorch',
      timesFaster: zen5Times('torch', torch),
    },
    {
      cells: 'jax-js, tiles by hand, one thread | B 4,096, D 256',
      label: 'jax-js',
      timesFaster: zen5Times('jax', 'B 4096, D 256, ours with 1'),
    },
    {
      cells: 'TensorFlow.js, dense, one thread | B 2,048, D 256',
      label: 'TensorFlow.js',
      timesFaster: tfjs('times faster'),
      timesLessMemory: tfjs('times less memory'),
    },
  ];
}

/** What a call costs at one batch size. */
export interface BatchFigure {
  batch: number;
  seconds: number;
  peakMiB: number;
  denseMiB: number;
}

export function batchFigures(figures: Figures): BatchFigure[] {
  return [4096, 8192, 16384, 32768, 65536].map((batch) => {
    const of = (column: string) => figures.of(zen5, 'doubling', `B ${batch}, D 256`, column);
    return { batch, seconds: of('seconds'), peakMiB: of('peak MiB'), denseMiB: of('dense b×b MiB') };
  });
}

const digitsOf = (value: number) => (value < 2 ? 2 : 1);

export function performanceClaims(figures: Figures): Claim[] {
  const time = (label: string) => fixed(figures.of(zen5, 'options', label, 'time / base'), 2);
  const small = 'B 65536, D 256, workspaceBytes 64 MiB';
  const ofSearch = (name: string, label: string, column: string) =>
    fixed(figures.of(search, name, `M 2048, N 100000, D 256, k 10, ${label}`, column), 2);
  return [
    ...batchFigures(figures).map(({ batch, seconds, peakMiB, denseMiB }) => ({
      page: 'docs/performance.md',
      parts: [`| ${batch.toLocaleString('en')} | `, ' | ', ' | ', ' |'],
      values: [fixed(seconds, digitsOf(seconds)), whole(peakMiB), whole(denseMiB)],
    })),
    performance`the call then took ${fixed(figures.of(zen5, 'memory', small, 'time / default'), 2)} times the time`,
    performance`\`infonce\` took ${time('infonce')} of the time of \`clip\`, \`siglip\` ${time('siglip')}, and bfloat16 products ${time('bfloat16 products')}.`,
    performance`halves of the queries took ${time('ntxent')}.`,
    ...peerFigures(figures).map(peerClaim),
    performance`(\`topK\`) took ${ofSearch('top-k', 'beside the loss alone', 'ratio')} of the time of a loss alone.`,
    performance`It was ${ofSearch('top-k-peers', 'ONNX Runtime, Gemm + TopK in blocks of 512', 'times faster')} times faster than ONNX Runtime`,
    ...filterClaims(figures),
    ...comparisonClaims(figures),
  ];
}

function peerClaim({ cells, timesFaster, timesLessMemory }: PeerFigure): Claim {
  const faster = fixed(timesFaster, digitsOf(timesFaster));
  const page = 'docs/performance.md';
  return timesLessMemory === undefined
    ? { page, parts: [`| ${cells} | `, ' | not measured |'], values: [faster] }
    : { page, parts: [`| ${cells} | `, ' | ', ' |'], values: [faster, fixed(timesLessMemory, 1)] };
}

function filterClaims(figures: Figures): Claim[] {
  const nearly = 'nearly solved (cosines 0.4 of pairs, 0.08 of others, scale 100)';
  const solved = 'solved (cosines 0.8 of pairs, 0.08 of others, scale 100)';
  const tiles = (label: string) => whole(figures.of(zen5, 'filter', label, 'tiles'));
  const skipped = (label: string) => whole(figures.of(zen5, 'filter', label, 'tiles skipped'));
  const price = (file: string) =>
    figures.range(file, 'filter', 'time / base', (label) => /^(early training|trained) /.test(label)).most;
  return [
    performance`skips nothing and costs up to ${percent(Math.max(price(zen4), price(zen5)) - 1)} %`,
    performance`it skips ${skipped(nearly)} of ${tiles(nearly)} tiles at cosines of 0.4 between pairs, and ${skipped(solved)} of ${tiles(solved)} at 0.8.`,
  ];
}

function comparisonClaims(figures: Figures): Claim[] {
  const [narrow, wide, hugePages, pages] = peerFigures(figures);
  const faster = ({ timesFaster }: PeerFigure) => fixed(timesFaster, digitsOf(timesFaster));
  const less = ({ timesLessMemory }: PeerFigure) => fixed(timesLessMemory!, 1);
  return [
    readme`| infcl: ${faster(narrow!)} and ${faster(wide!)} times faster, ${less(narrow!)} and ${less(wide!)} times less memory |`,
    comparison`infcl was ${faster(narrow!)} times faster at D = 256, and ${faster(wide!)} times at D = 512. It needed ${less(narrow!)} and ${less(wide!)} times less memory.`,
    comparison`D = 512: infcl was ${faster(pages!)} times faster. With huge pages for PyTorch it was ${faster(hugePages!)} times faster.`,
  ];
}
