/**
 * The backends: which exist, which of them run here, and why the others do not.
 *
 * Refuses to throw where a backend is missing: its absence is an answer. Only a call that asks for the
 * backend gets an error.
 */

import os from 'node:os';
import { codedError, type InfclError } from './errors';
import type { BackendChoice, BackendName, NativeBinding } from './native/binding';
import { loadBinding } from './native/load';
import * as check from './validate';

export interface BackendInfo {
  name: BackendName;
  available: boolean;
  /** Why it is not available. */
  reason?: string;
  /** Names of its devices. */
  devices: string[];
  /** cpu: the instruction set calls will use. */
  isa?: string;
}

/** Every backend that this version knows, fastest last. Never throws. */
export function backends(): BackendInfo[] {
  return backendsOf(loadBinding);
}

/** `backends` of an addon, which may fail to load. */
export function backendsOf(getBinding: () => NativeBinding): BackendInfo[] {
  let binding: NativeBinding;
  try {
    binding = getBinding();
  } catch (error) {
    const reason = (error as Error).message;
    return backendNames.map((name) => ({ name, available: false, reason, devices: [] }));
  }
  return backendNames.map((name) => describeBackend[name](binding));
}

/** In the order of `backends()`. A backend that is missing here does not compile. */
const describeBackend: Record<BackendName, (binding: NativeBinding) => BackendInfo> = {
  cpu: cpuBackend,
  cuda: cudaBackend,
};
const backendNames = Object.keys(describeBackend) as BackendName[];

function cpuBackend(binding: NativeBinding): BackendInfo {
  try {
    const { isa } = binding.cpuInfo();
    return { name: 'cpu', available: true, devices: [processorName()], isa };
  } catch (error) {
    // INFCL_ISA forces an instruction set that this machine lacks
    return { name: 'cpu', available: false, reason: (error as InfclError).message, devices: [] };
  }
}

/** Deno asks for a permission here, without which the backend works all the same. */
function processorName(): string {
  try {
    return os.cpus()[0]?.model.trim() || os.arch();
  } catch {
    return os.arch();
  }
}

function cudaBackend(binding: NativeBinding): BackendInfo {
  const { available, reason, devices } = binding.cudaInfo();
  return { name: 'cuda', available, ...(!available && { reason }), devices };
}

/**
 * The options `backend` and `device`. 'auto' is the CPU: features are in the host's memory. A device
 * multiplies in another arithmetic, so a call uses a device only if the caller asks for it.
 */
export function resolveBackend(given: { backend?: unknown; device?: unknown }): BackendChoice {
  const backend =
    given.backend === undefined
      ? 'auto'
      : check.oneOf('options.backend', given.backend, ['auto' as const, ...backendNames]);
  const device = given.device === undefined ? 0 : check.nonNegativeInteger('options.device', given.device);
  return backend === 'cuda' ? { backend, device } : { backend: 'cpu', device: 0 };
}

/**
 * The name of the chosen device, null for the CPU. Throws ERR_BACKEND_UNAVAILABLE when the backend cannot run
 * here, ERR_DEVICE when it has no such device.
 */
export function requireBackend(
  { backend, device }: BackendChoice,
  binding: NativeBinding = loadBinding(),
): string | null {
  if (backend !== 'cuda') return null;
  const { available, reason, devices } = binding.cudaInfo();
  if (!available) throw codedError('ERR_BACKEND_UNAVAILABLE', `Backend 'cuda' cannot run here: ${reason}`);
  const name = devices[device];
  if (name === undefined) {
    throw codedError(
      'ERR_DEVICE',
      `Expected a device below ${devices.length} for options.device but received ${device}`,
    );
  }
  return name;
}
