/**
 * How drawings look in scenes: as they are for tests; for training a little turned, mirrored, stretched and
 * tinted, so that a style that nobody has seen is not far away. Refuses to choose the size.
 */

import type { Random } from '../../random.js';
import type { Look } from './sprite.js';

export function plainLook(longer: number): Look {
  return { longer, turn: 0, mirrored: false, stretch: 1, gain: [1, 1, 1], lift: 0 };
}

const largestTurn = 0.2;
const largestStretch = 0.15;
const largestGain = 0.25;
const largestLift = 0.12;

export function variedLook(longer: number, random: Random): Look {
  const around = (spread: number) => spread * (2 * random.uniform() - 1);
  const brightness = 1 + around(largestGain);
  const gain = () => brightness * (1 + around(largestGain));
  return {
    longer,
    turn: around(largestTurn),
    mirrored: random.uniform() < 0.5,
    stretch: 1 + around(largestStretch),
    gain: [gain(), gain(), gain()],
    lift: around(largestLift),
  };
}
