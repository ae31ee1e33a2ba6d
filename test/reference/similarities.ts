/**
 * Tables of dot products and of the loss's derivative with respect to the logits made of them. Knows how a table of
 * logit gradients becomes feature gradients, and nothing of objectives.
 */

/** Row-major [rows x dim]; what the public API accepts, plus float64 data for finite differences. */
export interface DenseMatrix {
  data: Float32Array | Float64Array;
  shape: readonly [rows: number, dim: number];
  /** Elements from one row to the next; default dim. */
  rowStride?: number;
}

/** A float64 copy of features without padding between rows, and room for their gradient. */
export class Rows {
  readonly data: Float64Array;
  readonly grads: Float64Array;
  readonly count: number;
  readonly dim: number;

  constructor({ data, shape: [rows, dim], rowStride = dim }: DenseMatrix) {
    this.count = rows;
    this.dim = dim;
    this.data = new Float64Array(rows * dim);
    this.grads = new Float64Array(rows * dim);
    for (let i = 0; i < rows; i++) this.data.set(data.subarray(i * rowStride, i * rowStride + dim), i * dim);
  }
}

/** u_i . v_j for each row i of `left` and each of `columns` rows of `right`, the one that `rowOf` names. */
export class Similarities {
  readonly dots: Float64Array;
  /** g_ij = dL/dx_ij, to be added to. */
  readonly grads: Float64Array;

  constructor(
    readonly left: Rows,
    readonly right: Rows,
    readonly columns = right.count,
    /** Negative: row i has no column j. */
    readonly rowOf: (i: number, j: number) => number = (_, j) => j,
  ) {
    this.dots = new Float64Array(left.count * columns);
    this.grads = new Float64Array(left.count * columns);
    const { dim } = left;
    for (let i = 0; i < left.count; i++) {
      for (let j = 0; j < columns; j++) {
        if (rowOf(i, j) < 0) continue;
        let sum = 0;
        const v = rowOf(i, j) * dim;
        for (let d = 0; d < dim; d++) sum += left.data[i * dim + d] * right.data[v + d];
        this.dots[i * columns + j] = sum;
      }
    }
  }

  /** dU += s G V,  dV += s G^T U;  returns ds = sum_ij g_ij (u_i . v_j), as x_ij = s u_i.v_j */
  differentiate(s: number): number {
    const { left, right, columns } = this;
    const { dim } = left;
    let scaleGrad = 0;
    for (let i = 0; i < left.count; i++) {
      for (let j = 0; j < columns; j++) {
        const g = this.grads[i * columns + j];
        if (g === 0) continue;
        scaleGrad += g * this.dots[i * columns + j];
        const u = i * dim;
        const v = this.rowOf(i, j) * dim;
        for (let d = 0; d < dim; d++) {
          left.grads[u + d] += s * g * right.data[v + d];
          right.grads[v + d] += s * g * left.data[u + d];
        }
      }
    }
    return scaleGrad;
  }
}
