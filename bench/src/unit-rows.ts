/**
 * Random rows of length one, from a seed: what an encoder with a normalised output would hand over. With `near`, rows that
 * lie by `closeness` (0 to 1) between noise and the rows of `near`: the other side of pairs that training has brought
 * together.
 */
export function unitRows(
  rows: number,
  dim: number,
  seed: number,
  near?: Float32Array,
  closeness = 0,
): Float32Array {
  const data = new Float32Array(rows * dim);
  let state = seed >>> 0;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = (state >>> 8) / 2 ** 23 - 1;
  }
  if (near) {
    // noise of length 1 in expectation, as the rows of `near` are
    const noise = (1 - closeness) * Math.sqrt(3 / dim);
    for (let at = 0; at < data.length; at++) data[at] = closeness * near[at] + noise * data[at];
  }
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * dim, (i + 1) * dim);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dim; d++) row[d] /= length;
  }
  return data;
}
