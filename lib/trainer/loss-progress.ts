/**
 * The progress of a loss as one fraction of all its work, and back. A loss reports two phases; a step and a sum
 * of losses report one number.
 *
 * Refuses to measure: the forward pass counts as one of four matrix products.
 */

import type { Progress } from '../loss/options';

/** Fraction of the work of a loss and its gradients that is done, 0 to 1. */
export function fractionOf({ phase, fraction }: Progress): number {
  return phase === 'forward' ? fraction / 4 : (1 + 3 * fraction) / 4;
}

/** The inverse of {@link fractionOf}. */
export function progressAt(fraction: number): Progress {
  return fraction < 1 / 4
    ? { phase: 'forward', fraction: 4 * fraction }
    : { phase: 'backward', fraction: (4 * fraction - 1) / 3 };
}
