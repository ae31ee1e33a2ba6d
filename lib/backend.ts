/**
 * Which backends there are, which of them run here, and why the others do not.
 *
 * Refuses to throw: a backend that is missing is an answer. Only a caller who insists on one gets an error.
 */

import os from 'node:os';
import { codedError, type InfclError } from './errors';
import type { NativeBinding } from './native/binding';
import { loadBinding } from './native/load';

export interface BackendInfo {
  name: 'cpu' | 'cuda';
  available: boolean;
  /** Why it is not available. */
  reason?: string;
  /** Names of its devices. */
  devices: string[];
  /** cpu: the instruction set calls will use. */
  isa?: string;
}

/** Every backend this version knows, fastest last. Never throws. */
export function backends(getBinding: () => NativeBinding = loadBinding): BackendInfo[] {
  let binding: NativeBinding;
  try {
    binding = getBinding();
  } catch (error) {
    const reason = (error as Error).message;
    return (['cpu', 'cuda'] as const).map((name) => ({ name, available: false, reason, devices: [] }));
  }
  return [cpuBackend(binding), cudaBackend(binding)];
}

function cpuBackend(binding: NativeBinding): BackendInfo {
  try {
    const { isa } = binding.cpuInfo();
    return { name: 'cpu', available: true, devices: [os.cpus()[0]?.model.trim() ?? os.arch()], isa };
  } catch (error) {
    // INFCL_ISA forces an instruction set that this machine lacks
    return { name: 'cpu', available: false, reason: (error as InfclError).message, devices: [] };
  }
}

function cudaBackend(binding: NativeBinding): BackendInfo {
  const { available, reason } = binding.cudaInfo();
  return { name: 'cuda', available, ...(!available && { reason }), devices: [] };
}

/** Throws ERR_BACKEND_UNAVAILABLE when the wanted backend cannot run here. */
export function requireBackend(wanted: 'auto' | 'cpu' | 'cuda', binding: NativeBinding): void {
  if (wanted !== 'cuda') return;
  const { available, reason } = binding.cudaInfo();
  if (!available) throw codedError('ERR_BACKEND_UNAVAILABLE', `Backend 'cuda' cannot run here: ${reason}`);
}
