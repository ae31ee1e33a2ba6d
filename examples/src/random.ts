/**
 * A small seeded generator (SplitMix-style, 32 bits of state), so that shuffles and initial weights are the same
 * on every machine. Refuses to be a source of secrets.
 */

// locals, because these run millions of times and globals are slow to look up under Jest
const { imul, sqrt, log, cos, PI } = Math;

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** An independent stream for each (seed, stream) pair, e.g. one shuffle per epoch. */
  static stream(seed: number, stream: number): Random {
    return new Random(new Random((seed ^ imul(stream + 1, 0x85ebca6b)) >>> 0).next32());
  }

  /** 32 random bits. */
  next32(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = imul(z ^ (z >>> 16), 0x21f0aaad);
    z = imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** In [0, 1). */
  uniform(): number {
    return this.next32() / 2 ** 32;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return sqrt(-2 * log(1 - this.uniform())) * cos(2 * PI * this.uniform());
  }

  /** 0 … length-1 in random order (Fisher and Yates). */
  permutation(length: number): Int32Array {
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1));
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}
