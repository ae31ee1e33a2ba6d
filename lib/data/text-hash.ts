/**
 * A hash of 53 bits of a text, by which batches without duplicates know texts. Two texts with the same hash only make
 * a row wait without need.
 *
 * Refuses to be safe against texts that were made to collide.
 */

const { imul } = Math;

/** A non-negative safe integer. */
export function hashText(text: string): number {
  let high = 0x9747b28c;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 13;
    low = imul(low ^ unit, 0xc2b2ae35);
    low ^= low >>> 16;
  }
  high = imul(high ^ (high >>> 16) ^ low, 0x21f0aaad);
  low = imul(low ^ (low >>> 15) ^ high, 0x735a2d97);
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
