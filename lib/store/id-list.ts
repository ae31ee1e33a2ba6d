/**
 * The ids of a store that is being written, 4 bytes each in memory: they lie behind the features, whose end is
 * known on commit only.
 */

import { allocate } from '../matrix/allocate';

export class IdList {
  #values = new Int32Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The ids, as bytes of the file. Valid until the next `append`. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, 4 * this.#count);
  }

  /** Throws ERR_OUT_OF_MEMORY where the system refuses the memory, and then has the ids that it had. */
  append(ids: Int32Array): void {
    const needed = this.#count + ids.length;
    if (needed > this.#values.length) {
      const grown = idsOf(Math.max(needed, 2 * this.#values.length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values.set(ids, this.#count);
    this.#count = needed;
  }
}

function idsOf(length: number): Int32Array<ArrayBuffer> {
  const advice = 'commit these rows, and write further ones to another store';
  return allocate('the ids of a store', 4 * length, () => new Int32Array(length), advice);
}
