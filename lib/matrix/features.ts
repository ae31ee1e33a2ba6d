/** Features of either place: the host's memory or a CUDA device. Apart from both, which then need not know each other. */

import type { DeviceMatrix } from './device-matrix';
import type { HostFeatures } from './host-matrix';

/** Of the host or of a CUDA device; those of one call are all of one place. */
export type Features = HostFeatures | DeviceMatrix;
