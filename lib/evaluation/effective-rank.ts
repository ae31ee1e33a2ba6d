/**
 * How many dimensions features really use (Garrido et al. 2023, "RankMe: Assessing the Downstream Performance
 * of Pretrained Self-Supervised Representations by Their Rank").
 *
 * Refuses to centre or to normalise the rows, as RankMe does neither.
 */

import { codedError } from '../errors';
import type { ReadableFeatures } from '../matrix/features';
import { readRows } from '../matrix/read-rows';
import { readOptionsOf, type SignalOption } from './read-options';
import { singularValues } from './singular-values';

/** The ε of RankMe, so that a singular value of 0 has a logarithm. */
const epsilon = 1e-7;

/**
 * exp(−Σ p log p) with p = σ / Σσ + 1e-7 over all min(M, D) singular values σ: about 1 where all rows are
 * multiples of one row, and about D where all directions are used equally. Computes in float64 and needs
 * min(M, D)² · 8 bytes. RankMe takes 25,600 rows.
 *
 * @param x [M × D], at least one row of which is not zero.
 *
 * Source: Garrido et al. 2023, equation 1.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER,
 * ERR_DETACHED or ERR_OUT_OF_MEMORY.
 */
export async function effectiveRank(x: ReadableFeatures, options?: SignalOption): Promise<number> {
  const { signal } = readOptionsOf(options, ['signal']);
  const values = await singularValues(readRows('x', x), signal);
  const sum = values.reduce((total, value) => total + value, 0);
  if (sum === 0)
    throw codedError('ERR_VALUE', 'Expected a row that is not zero in x but received zeros only');
  const entropy = values.reduce((total, value) => {
    const p = value / sum + epsilon;
    return total - p * Math.log(p);
  }, 0);
  return Math.exp(entropy);
}
