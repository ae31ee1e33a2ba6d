/**
 * Gradients by central differences in float64: the oracle for chains of formulas that no other oracle knows as a
 * whole. Refuses to be fast: two losses for each number.
 */

/** Small enough for the curvature, large enough for the rounding of float64. */
const distance = 1e-5;

/** dLoss/dValues of each array. `loss` reads the arrays, whose numbers are moved one at a time. */
export function slopesOf(arrays: readonly Float64Array[], loss: () => number): Float64Array[] {
  return arrays.map((values) =>
    Float64Array.from(values, (value, at) => {
      const lossAt = (moved: number) => {
        values[at] = moved;
        return loss();
      };
      const slope = (lossAt(value + distance) - lossAt(value - distance)) / (2 * distance);
      values[at] = value;
      return slope;
    }),
  );
}

/** The first `dim` numbers of each row of [rows x width], divided by their length. Rows of zeros stay zeros. */
export function unitRows(features: Float64Array, width: number, dim = width): Float64Array {
  const rows = features.length / width;
  const unit = new Float64Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const prefix = features.subarray(row * width, row * width + dim);
    const length = Math.hypot(...prefix);
    if (length > 0)
      unit.set(
        prefix.map((x) => x / length),
        row * dim,
      );
  }
  return unit;
}
