/**
 * The oracle: contrastive loss and gradients the obvious way, in float64, with the whole M x N matrix of logits in
 * memory. Every other implementation in this repository is judged against this file, so it is written to be read
 * beside the equations, and it refuses every trick: no tiles, no online sums, no base 2, no threads.
 *
 * Symbols as in docs/algorithm.md: queries Q [M x D], keys K [N x D], logit scale s, logits x_ij = s q_i.k_j,
 * row LSE a_i, column LSE b_j, logit gradient g_ij. Use it for M*N*D up to about 1e9.
 */

/** Row-major [rows x dim]; what the public API accepts, plus float64 data for finite differences. */
export interface DenseMatrix {
  data: Float32Array | Float64Array;
  shape: readonly [rows: number, dim: number];
  /** Elements from one row to the next; default dim. */
  rowStride?: number;
}

export interface DenseOptions {
  objective?: ObjectiveName;
  /** The multiplier s itself; default 1/0.07. */
  logitScale?: number;
  /** infonce: key index of each query's positive; default i. */
  labels?: ArrayLike<number>;
}

export interface DenseResult {
  loss: number;
  /** Share of queries whose positive is not beaten by another key. */
  accuracy: number;
  /** [M x D] and [N x D], without padding between rows. */
  queryGrads: Float64Array;
  keyGrads: Float64Array;
  logitScaleGrad: number;
  rows: {
    loss: Float64Array;
    lse: Float64Array;
    positiveFirst: Uint8Array;
    /** x_ip minus the largest other logit of the row; infinite when there is no other. */
    margin: Float64Array;
  };
  /** Largest |x_ij|: rounding in float32 is proportional to it, so tolerances are too. */
  largestLogit: number;
}

/**
 * An objective is data: the weights of the two cross-entropies. With weights (rho, kappa) and positive p(i),
 *   loss = mean_i [ rho (a_i - x_ip) + kappa (b_p - x_ip) ]
 *   g_ij = [ rho exp(x_ij - a_i) + kappa exp(x_ij - b_j) - (rho + kappa) [j = p(i)] ] / M
 */
interface DenseObjective {
  rowWeight: number;
  columnWeight: number;
}

const objectives = {
  clip: { rowWeight: 0.5, columnWeight: 0.5 }, // Radford et al. 2021: mean of both directions
  infonce: { rowWeight: 1, columnWeight: 0 }, // van den Oord et al. 2018, eq. 4
} satisfies Record<string, DenseObjective>;

export type ObjectiveName = keyof typeof objectives;

export function denseLossAndGrad(
  queries: DenseMatrix,
  keys: DenseMatrix,
  options: DenseOptions = {},
): DenseResult {
  const { objective = 'clip', logitScale = 1 / 0.07, labels } = options;
  const { rowWeight, columnWeight } = objectives[objective];
  const q = compact(queries);
  const k = compact(keys);
  const [m, dim] = queries.shape;
  const n = keys.shape[0];
  const positive = (i: number) => (labels ? labels[i] : i);

  const x = logits(q, k, m, n, dim, logitScale);
  const a = logSumExp(x, m, n, n, 1);
  const b = columnWeight > 0 ? logSumExp(x, n, m, 1, n) : new Float64Array(n);

  const rows = {
    loss: new Float64Array(m),
    lse: a,
    positiveFirst: new Uint8Array(m),
    margin: new Float64Array(m),
  };
  for (let i = 0; i < m; i++) {
    const p = positive(i);
    const xp = x[i * n + p];
    // l_i = rho (a_i - x_ip) + kappa (b_p - x_ip)
    rows.loss[i] = rowWeight * (a[i] - xp) + (columnWeight > 0 ? columnWeight * (b[p] - xp) : 0);
    rows.margin[i] = xp - largestOther(x.subarray(i * n, (i + 1) * n), p);
    rows.positiveFirst[i] = rows.margin[i] >= 0 ? 1 : 0;
  }

  const g = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * n + j;
      // g_ij = [ rho exp(x_ij - a_i) + kappa exp(x_ij - b_j) - (rho + kappa) [j = p(i)] ] / M
      let sum = rowWeight * Math.exp(x[at] - a[i]);
      if (columnWeight > 0) sum += columnWeight * Math.exp(x[at] - b[j]);
      if (j === positive(i)) sum -= rowWeight + columnWeight;
      g[at] = sum / m;
    }
  }

  return {
    loss: mean(rows.loss),
    accuracy: mean(rows.positiveFirst),
    ...featureGrads(g, q, k, m, n, dim, logitScale),
    // ds = sum_ij g_ij (q_i.k_j) = sum_ij g_ij x_ij / s
    logitScaleGrad: dot(g, 0, x, 0, m * n) / logitScale,
    rows,
    largestLogit: x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
  };
}

/** x_ij = s q_i.k_j */
function logits(
  q: Float64Array,
  k: Float64Array,
  m: number,
  n: number,
  dim: number,
  s: number,
): Float64Array {
  const x = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) x[i * n + j] = s * dot(q, i * dim, k, j * dim, dim);
  }
  return x;
}

/** log sum exp over `length` elements `step` apart, for each of `count` lines that begin `line` apart. */
function logSumExp(x: Float64Array, count: number, length: number, line: number, step: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < length; j++) largest = Math.max(largest, x[i * line + j * step]);
    let sum = 0;
    for (let j = 0; j < length; j++) sum += Math.exp(x[i * line + j * step] - largest);
    out[i] = largest + Math.log(sum);
  }
  return out;
}

function largestOther(row: Float64Array, except: number): number {
  return row.reduce(
    (largest, x, j) => (j === except ? largest : Math.max(largest, x)),
    Number.NEGATIVE_INFINITY,
  );
}

/** dQ = s G K,  dK = s G^T Q */
function featureGrads(
  g: Float64Array,
  q: Float64Array,
  k: Float64Array,
  m: number,
  n: number,
  dim: number,
  s: number,
) {
  const queryGrads = new Float64Array(m * dim);
  const keyGrads = new Float64Array(n * dim);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const sg = s * g[i * n + j];
      for (let d = 0; d < dim; d++) {
        queryGrads[i * dim + d] += sg * k[j * dim + d];
        keyGrads[j * dim + d] += sg * q[i * dim + d];
      }
    }
  }
  return { queryGrads, keyGrads };
}

/** A float64 copy without padding between rows. */
function compact({ data, shape: [rows, dim], rowStride = dim }: DenseMatrix): Float64Array {
  const out = new Float64Array(rows * dim);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * rowStride, i * rowStride + dim), i * dim);
  return out;
}

function dot(u: Float64Array, u0: number, v: Float64Array, v0: number, length: number): number {
  let sum = 0;
  for (let d = 0; d < length; d++) sum += u[u0 + d] * v[v0 + d];
  return sum;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
