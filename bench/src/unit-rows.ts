/** Features as encoders with a normalised output hand them over: random rows of length one, from a seed. */

export interface Cosines {
  /** Mean cosine of a query and its key. */
  pairs: number;
  /** Mean cosine of a query and any other key. */
  strangers: number;
}

/** Independent rows. */
export function unitRows(rows: number, dim: number, seed: number): Float32Array {
  const data = noise(rows, dim, seed);
  normalise(data, dim);
  return data;
}

/**
 * Queries and keys of a given likeness: what all rows share, what a pair shares and noise, in the proportions
 * that give these mean cosines. Cosines scatter by about 1 / sqrt(dim) around their means.
 */
export function pairedRows(
  rows: number,
  dim: number,
  { pairs, strangers }: Cosines,
): [Float32Array, Float32Array] {
  const common = unitRows(1, dim, 3);
  const shared = noise(rows, dim, 4);
  const side = (seed: number) => {
    const own = noise(rows, dim, seed);
    const data = own.map(
      (value, at) =>
        Math.sqrt(1 - pairs) * value +
        Math.sqrt(pairs - strangers) * shared[at] +
        Math.sqrt(strangers) * common[at % dim],
    );
    normalise(data, dim);
    return data;
  };
  return [side(1), side(2)];
}

/** Rows of length one in expectation. */
function noise(rows: number, dim: number, seed: number): Float32Array {
  const data = new Float32Array(rows * dim);
  const size = Math.sqrt(3 / dim);
  let state = seed >>> 0;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = size * ((state >>> 8) / 2 ** 23 - 1);
  }
  return data;
}

function normalise(data: Float32Array, dim: number): void {
  for (let at = 0; at < data.length; at += dim) {
    const row = data.subarray(at, at + dim);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dim; d++) row[d] /= length;
  }
}
