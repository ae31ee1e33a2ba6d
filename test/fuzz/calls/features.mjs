/**
 * The numbers in a matrix of features: as trainings have them, or anything up to the limits of float32.
 *
 * Refuses to convert: the bits of 16-bit floats are drawn as bits.
 */

const kinds = ['usual', 'huge', 'tiny', 'zeros', 'collapsed', 'longTail', 'anyBits', 'oneBad'];

/** Fills `data` with elements of `dtype`. Tame ones have a length of about one in a few dimensions. */
export function fillFeatures(random, data, dtype, tame) {
  const kind = tame ? 'usual' : random.pick(kinds);
  const draw = drawers[kind](random, dtype);
  for (let i = 0; i < data.length; i++) data[i] = draw(i);
  if (kind === 'oneBad' && random.chance(0.5)) {
    data[random.integer(0, data.length - 1)] = dtype === 'float32' ? random.pick([NaN, Infinity]) : 0x7fff;
  }
}

const is16 = (dtype) => dtype !== 'float32';
/** Bits of a 16-bit float between about 2^-7 and 2^(high), of either sign. */
function bits16(random, dtype, low = -7, high = -1) {
  const [bias, mantissa] = dtype === 'float16' ? [15, 10] : [127, 7];
  const most = 2 * bias;
  const exponent = Math.max(0, Math.min(most, bias + random.integer(low, high)));
  return (random.integer(0, 1) << 15) | (exponent << mantissa) | random.integer(0, 2 ** mantissa - 1);
}

function usual(random, dtype) {
  if (is16(dtype)) return () => bits16(random, dtype);
  return () => random.real() - 0.5;
}

function ofSize(low, high) {
  return (random, dtype) => {
    const exponent = random.between(low, high);
    if (is16(dtype))
      return () => bits16(random, dtype, Math.floor(exponent * 3.3), Math.floor(exponent * 3.3) + 2);
    return () => Math.fround((random.real() - 0.5) * 10 ** exponent);
  };
}

const drawers = {
  usual,
  oneBad: usual,
  huge: ofSize(0, 38.5),
  tiny: ofSize(-45, 0),
  zeros: () => (i) => (i % 7 === 0 ? -0 : 0),
  /** Rows that nearly tie, of any length: what a training that diverges has. */
  collapsed: (random, dtype) => {
    const size = 10 ** random.between(-3, 19);
    const element = is16(dtype) ? bits16(random, dtype) : Math.fround(size * (random.real() - 0.5));
    return () => (is16(dtype) || random.chance(0.9) ? element : Math.fround(element * (1 + 1e-6)));
  },
  /** Most are usual, some are of any size. */
  longTail: (random, dtype) => {
    const draw = usual(random, dtype);
    return (i) => (is16(dtype) || random.chance(0.98) ? draw(i) : Math.fround(10 ** random.between(-45, 38)));
  },
  /** Any bits at all: NaN and infinity of every kind among them. */
  anyBits: (random, dtype) => {
    if (is16(dtype)) return () => random.integer(0, 0xffff);
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    return () => {
      word[0] = random.chance(0.999) ? random.bits() & 0xbfffffff : random.bits();
      return float[0];
    };
  },
};
