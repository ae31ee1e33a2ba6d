/**
 * Which columns of which case become charts, and the groups of cases on the page. A case without an entry is a
 * table.
 */

export type Unit = 's' | 'MiB' | '%' | 'times' | 'ratio';

export interface Quantity {
  /** What the axis counts, in words. */
  what: string;
  unit: Unit;
}

interface CommonSpec extends Quantity {
  /** Only rows whose label matches. The first group is then the label of the chart. */
  rows?: RegExp;
  /** A logarithmic axis, for values that lie orders of magnitude apart. */
  log?: boolean;
}

/** One column, with a bar for each result: machines side by side. */
export interface BarsSpec extends CommonSpec {
  kind: 'bars';
  column: string;
  /** A line across the bars. */
  reference?: { value: number; name: string };
}

/** Several columns, with a chart for each result: ours beside a peer. */
export interface VersusSpec extends CommonSpec {
  kind: 'versus';
  columns: { column: string; name: string }[];
}

/** One column along batch or feature sizes, with a line for each result. */
export interface LinesSpec extends CommonSpec {
  kind: 'lines';
  column: string;
  along: 'B' | 'D';
  /** A column that is the same on every machine, as one line more. */
  beside?: { column: string; name: string };
}

export type ChartSpec = BarsSpec | VersusSpec | LinesSpec;

export interface CaseGroup {
  title: string;
  text: string;
  cases: string[];
}

export const groups: CaseGroup[] = [
  {
    title: 'Ours against peers',
    text: 'The same loss and the same gradients. Contestants alternate within one run, on the same machine.',
    cases: ['torch', 'onnx', 'tfjs', 'jax', 'floor', 'parts'],
  },
  {
    title: 'Search',
    text: 'The best keys of each query: `topK` beside the loss alone, a matrix product alone, and searches of others.',
    cases: ['top-k', 'top-k-peers'],
  },
  {
    title: 'Growing batches',
    text: 'Time grows with the square of the batch, and memory grows linearly. A dense loss keeps a matrix of B × B logits.',
    cases: ['doubling', 'memory', 'huge'],
  },
  {
    title: 'What the cores can do',
    text: 'Multiply-adds in registers touch no memory: no kernel can be faster. Shares are of these, under the same clock.',
    cases: ['peak', 'kernels', 'dims', 'threads'],
  },
  {
    title: 'Options and checks',
    text: 'Objectives, arithmetic and options beside a call without them, on the same rows.',
    cases: ['options', 'filter', 'few-rows', 'checks'],
  },
  {
    title: 'A training step',
    text: 'A chunked step keeps the activations of one chunk alone, and encodes twice. Its cost report says what that costs.',
    cases: ['step'],
  },
];

/**
 * The fastest form of a peer at each shape; other forms are in the table. The label is the shape alone, because the
 * fastest form may be another one on another machine.
 */
const fastest = /^(.+), the fastest/;

const times = (column = 'times faster', rows?: RegExp): BarsSpec => ({
  kind: 'bars',
  column,
  what: column === 'times faster' ? 'how much faster infcl is' : 'how much less memory infcl takes',
  unit: 'times',
  rows,
  reference: { value: 1, name: 'equal' },
});

const seconds = (peer: string, column: string, rows?: RegExp): VersusSpec => ({
  kind: 'versus',
  columns: [
    { column: 'ours s', name: 'infcl' },
    { column, name: peer },
  ],
  what: 'time of one call',
  unit: 's',
  rows,
});

const memory = (peer: string, rows?: RegExp): VersusSpec => ({
  kind: 'versus',
  columns: [
    { column: 'ours MiB', name: 'infcl' },
    { column: 'peer MiB', name: peer },
  ],
  what: 'peak memory beyond inputs',
  unit: 'MiB',
  rows,
});

const ratio = (column: string, what: string, name: string): BarsSpec => ({
  kind: 'bars',
  column,
  what,
  unit: 'ratio',
  reference: { value: 1, name },
});

const share = (column: string, what: string): BarsSpec => ({ kind: 'bars', column, what, unit: '%' });

const timeOfBase = [ratio('time / base', 'time / time of the base', 'the base')];

export const specs: Record<string, ChartSpec[]> = {
  torch: [times(), seconds('dense PyTorch', 'torch s')],
  jax: [times(), seconds('jax-js by hand', 'jax-js s')],
  onnx: [
    times('times faster', fastest),
    times('times less memory', fastest),
    seconds('ONNX Runtime', 'peer s', fastest),
    memory('ONNX Runtime', fastest),
  ],
  tfjs: [times(), times('times less memory'), seconds('tfjs', 'peer s'), memory('tfjs')],
  floor: [ratio('ratio', 'time / time of the four products', 'the products alone')],
  parts: [ratio('ratio', 'time / time of as many products', 'the products alone')],
  'top-k': [ratio('ratio', 'time / time of what the row names', 'equal')],
  'top-k-peers': [times(), times('times less memory'), seconds('the peer', 'peer s'), memory('the peer')],
  doubling: [
    {
      kind: 'lines',
      column: 'peak MiB',
      along: 'B',
      what: 'peak memory beyond inputs',
      unit: 'MiB',
      log: true,
      beside: { column: 'dense b×b MiB', name: 'one B × B matrix (computed)' },
    },
    { kind: 'lines', column: 'seconds', along: 'B', what: 'time of one call', unit: 's', log: true },
  ],
  memory: [
    {
      kind: 'versus',
      columns: [
        { column: 'peak MiB', name: 'infcl' },
        { column: 'law MiB', name: 'the target' },
      ],
      what: 'peak memory beyond inputs',
      unit: 'MiB',
    },
  ],
  huge: [
    {
      kind: 'versus',
      columns: [
        { column: 'peak MiB', name: 'infcl' },
        { column: 'dense b×b MiB', name: 'one B × B matrix (computed)' },
      ],
      what: 'peak memory beyond inputs',
      unit: 'MiB',
      log: true,
    },
  ],
  peak: [share('share of them', 'share of multiply-adds beside it')],
  kernels: [share('all, share of multiply-adds', 'share of multiply-adds beside it')],
  dims: [
    { kind: 'lines', column: 'of FMA peak', along: 'D', what: 'share of FMA peak', unit: '%' },
    { kind: 'lines', column: 'ratio', along: 'D', what: 'time / time of the four products', unit: 'ratio' },
  ],
  threads: [{ ...times('speedup'), what: 'how much faster two threads are' }],
  options: timeOfBase,
  filter: timeOfBase,
  'few-rows': timeOfBase,
  checks: [share('share', 'share of a whole call')],
  step: [
    {
      kind: 'versus',
      columns: [
        { column: 'chunked s', name: 'a chunked step' },
        { column: 'all activations s', name: 'all activations in memory' },
      ],
      what: 'time of a step',
      unit: 's',
    },
  ],
};
