/**
 * The random numbers of one case. Equal seeds give equal numbers, so that a case can be run again alone.
 *
 * Refuses the clock and Math.random: whatever a case decides, it decides by these numbers.
 */

export class Random {
  #state;

  /** @param {...number} words Seed, case, and whatever else tells one sequence from another. */
  constructor(...words) {
    this.#state = words.reduce((hash, word) => mix((hash ^ (word >>> 0)) + 0x9e3779b9), 0x5bd1e995);
  }

  /** The next 32 bits. */
  bits() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return mix(this.#state);
  }

  /** From 0 to below 1. */
  real() {
    return this.bits() / 2 ** 32;
  }

  between(low, high) {
    return low + (high - low) * this.real();
  }

  /** An integer from `low` to `high`, both included. */
  integer(low, high) {
    return low + Math.floor(this.real() * (high - low + 1));
  }

  chance(probability) {
    return this.real() < probability;
  }

  pick(list) {
    return list[this.integer(0, list.length - 1)];
  }

  /** One of `[weight, value]` pairs. */
  weighted(pairs) {
    const total = pairs.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.real() * total;
    for (const [weight, value] of pairs) {
      left -= weight;
      if (left < 0) return value;
    }
    return pairs[pairs.length - 1][1];
  }

  /** `value` with this probability, otherwise undefined: how an option is left out. */
  maybe(probability, make) {
    return this.chance(probability) ? make() : undefined;
  }
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(word) {
  let hash = word >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
