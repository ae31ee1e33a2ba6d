/** Features of one rank, for programs that need a loss of a certain length and not certain numbers. */

/** Different on each rank, and the same on each run. */
export function shardOf(rank, rows, dim, seed = 1) {
  const data = new Float32Array(rows * dim);
  let state = (rank + 1) * 7919 + seed;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state / 2 ** 33;
  }
  return { data, shape: [rows, dim] };
}
