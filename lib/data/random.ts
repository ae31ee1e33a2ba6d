/**
 * Random numbers that are the same on every machine, for shuffles: xoshiro128** (Blackman and Vigna 2018), whose
 * state is filled from a seed and further numbers.
 *
 * Refuses to be a source of secrets.
 */

const { imul } = Math;
const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/** A permutation of 32-bit words in which each bit of the input changes about half of the bits. */
function scramble(word: number): number {
  let z = word;
  z = imul(z ^ (z >>> 16), 0x21f0aaad);
  z = imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

export class Random {
  private readonly state: Uint32Array;

  /** @param numbers Non-negative safe integers. Each list of numbers has a stream of its own. */
  constructor(...numbers: number[]) {
    const state = Uint32Array.of(1, 2, 3, 4);
    const words = numbers.flatMap((number) => [number >>> 0, Math.floor(number / 2 ** 32) >>> 0]);
    for (const word of words) {
      for (let i = 0; i < 4; i++) state[i] = scramble((state[i]! ^ scramble(word + i * 0x9e3779b9)) + word);
      // the generator mixes the four words with each other
      this.advance(state);
    }
    this.state = state;
  }

  /** 32 random bits. */
  next32(): number {
    const result = imul(rotate(imul(this.state[1]!, 5), 7), 9) >>> 0;
    this.advance(this.state);
    return result;
  }

  /** An integer from 0 to below `bound`, each one equally likely. `bound` is at most 2^32. */
  below(bound: number): number {
    // the words beyond the last full multiple of the bound would make small integers more likely
    const end = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.next32();
      if (word < end) return word % bound;
    }
  }

  private advance(s: Uint32Array): void {
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotate(s[3]!, 11);
  }
}

/** The numbers from 0 to below `length` in random order, by Fisher and Yates. 4 bytes a number. */
export function permutation(length: number, random: Random): Int32Array {
  const order = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const j = random.below(i + 1);
    order[i] = order[j]!;
    order[j] = i;
  }
  return order;
}
