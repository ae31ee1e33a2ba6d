/** The settings on which the order of batches depends. A saved position has them. */

import type { Mix } from './mix';
import type { SamplerSettings } from './row-sampler';

export interface BatchSettings extends SamplerSettings {
  mix: Mix;
  weights: number[];
}
