/** Random rows of length one, from a seed: what an encoder with a normalised output would hand over. */
export function unitRows(rows: number, dim: number, seed: number): Float32Array {
  const data = new Float32Array(rows * dim);
  let state = seed >>> 0;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = (state >>> 8) / 2 ** 23 - 1;
  }
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * dim, (i + 1) * dim);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dim; d++) row[d] /= length;
  }
  return data;
}
