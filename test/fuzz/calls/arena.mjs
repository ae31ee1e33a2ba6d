/**
 * The memory of one case: typed arrays between guard bands, several of them in one buffer. Remembers every byte, and
 * tells afterwards which bytes changed that no call was allowed to write.
 *
 * Refuses to know what the arrays are for; the taker of an array says whether calls may write to the array.
 */

const guardByte = 0xa5;
const alignment = 8;

/** One piece of memory: a guard band, an array, a guard band. */
class Piece {
  constructor(name, array, mayWrite) {
    this.name = name;
    this.array = array;
    this.mayWrite = mayWrite;
    this.buffer = array.buffer;
    this.begin = array.byteOffset;
    this.end = array.byteOffset + array.byteLength;
  }
}

export class Arena {
  #random;
  #pieces = [];
  /** Buffers with room left, by kind. */
  #open = new Map();
  #remembered = new Map();

  constructor(random) {
    this.#random = random;
  }

  /**
   * An array of zeros between guard bands. `mayWrite` says that a call may write to the array. Outputs that calls
   * allocate themselves are not in an arena.
   */
  take(name, Type, length, mayWrite = false) {
    const random = this.#random;
    const guard = alignment * random.integer(1, 8);
    // one element more than the alignment of the buffer: kernels must not rely on 8 bytes
    const shift = random.chance(0.5) ? Type.BYTES_PER_ELEMENT : 0;
    const bytes = length * Type.BYTES_PER_ELEMENT;
    const { buffer, at } = this.#room(Math.ceil((2 * guard + shift + bytes) / alignment) * alignment);
    const array = new Type(buffer, at + guard + shift, length).fill(0);
    this.#pieces.push(new Piece(name, array, mayWrite));
    return array;
  }

  #room(bytes) {
    const kind = this.#random.weighted([
      [5, ArrayBuffer],
      [2, SharedArrayBuffer],
    ]);
    const open = this.#open.get(kind);
    if (open && open.used + bytes <= open.buffer.byteLength && this.#random.chance(0.7)) {
      open.used += bytes;
      return { buffer: open.buffer, at: open.used - bytes };
    }
    const buffer = new kind(this.#random.chance(0.5) ? bytes : bytes + 16 * 1024);
    new Uint8Array(buffer).fill(guardByte);
    this.#open.set(kind, { buffer, used: bytes });
    return { buffer, at: 0 };
  }

  /** The pieces that calls may not write. */
  inputs() {
    return this.#pieces.filter((piece) => !piece.mayWrite);
  }

  /** All bytes as they are now, before the calls of the case begin. */
  remember() {
    this.#remembered.clear();
    for (const { buffer } of this.#pieces) {
      if (buffer.byteLength > 0) this.#remembered.set(buffer, Uint8Array.from(new Uint8Array(buffer)));
    }
  }

  /** Where bytes changed that nobody may write, as messages. Buffers that were transferred away are left out. */
  complaints() {
    const found = [];
    for (const [buffer, before] of this.#remembered) {
      if (buffer.byteLength !== before.length) continue;
      const now = Uint8Array.from(new Uint8Array(buffer));
      const pieces = this.#pieces.filter((piece) => piece.buffer === buffer);
      for (const { begin, end, mayWrite } of pieces)
        if (mayWrite) now.set(before.subarray(begin, end), begin);
      const at = now.findIndex((byte, i) => byte !== before[i]);
      if (at >= 0) found.push(`byte ${at} of ${now.length} was written, ${placeOf(at, pieces)}`);
    }
    return found;
  }
}

function placeOf(at, pieces) {
  const inside = pieces.find(({ begin, end }) => begin <= at && at < end);
  if (inside) return `in ${inside.name}`;
  const before = pieces.filter(({ end }) => end <= at).sort((a, b) => b.end - a.end)[0];
  const after = pieces.filter(({ begin }) => begin > at).sort((a, b) => a.begin - b.begin)[0];
  const distance = [
    ...(before ? [`${at - before.end} bytes behind ${before.name}`] : []),
    ...(after ? [`${after.begin - at} bytes before ${after.name}`] : []),
  ];
  return distance.join(', ');
}
