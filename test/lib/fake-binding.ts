/**
 * The public functions over a native side that is not there: it records what reaches it and answers at once.
 * So a test can say what a set of options becomes, or that nothing was started. Computes nothing; numbers are
 * tested elsewhere.
 */

import type { InfclError } from '../../lib/errors';
import {
  type ContrastiveOptions,
  createLossFunctions,
  type LossFunctions,
} from '../../lib/loss/contrastive-loss';
import type { Features } from '../../lib/matrix/features';
import type { MatrixLike } from '../../lib/matrix/host-matrix';
import type {
  ContrastiveRequest,
  ContrastiveResponse,
  NativeBinding,
  PlanRequest,
} from '../../lib/native/binding';

export interface FakeNative {
  functions: LossFunctions;
  binding: NativeBinding;
  /** Requests that reached native code, in order. */
  requests: ContrastiveRequest[];
  plans: PlanRequest[];
  /** How often the addon was asked for. */
  asked(): number;
}

const stats = {
  isa: 'none',
  threads: 1,
  flops: 0,
  seconds: 0,
  forwardSeconds: 0,
  backwardSeconds: 0,
  workspaceBytes: 0,
  peakBytes: 0,
  tiles: 0,
  tilesReused: 0,
  tilesSkipped: 0,
  maskedPairs: 0,
  slabs: 1,
};

export const fakeResponse: ContrastiveResponse = {
  loss: 1.5,
  accuracy: 0.25,
  logitScaleGrad: 3,
  logitBiasGrad: 4,
  stats,
};

const unexpected = () => {
  throw new Error('there is neither a device nor a file, and no other rank');
};
const noOtherMemory = {
  openMapping: unexpected,
  shareMapping: unexpected,
  releaseMapping: unexpected,
  readMapping: unexpected,
  allocateDevice: unexpected,
  wrapDevice: unexpected,
  shareDevice: unexpected,
  releaseDevice: unexpected,
  devicePointer: unexpected,
  uploadDevice: unexpected,
  downloadDevice: unexpected,
  deviceMemory: unexpected,
  threadGroups: unexpected,
  refuseGroupCall: unexpected,
  closeGroup: unexpected,
  openGroup: unexpected,
  callGroup: unexpected,
  failGroup: unexpected,
  leaveGroup: unexpected,
  findMpi: unexpected,
};

const addresses = new WeakMap<ArrayBufferLike, number>();
let nextAddress = 4096;

/** As if every buffer lay in memory of its own. */
function fakeAddress({ buffer, byteOffset }: ArrayBufferView): number {
  const known = addresses.get(buffer);
  if (known !== undefined) return known + byteOffset;
  addresses.set(buffer, nextAddress);
  nextAddress += buffer.byteLength + 4096;
  return fakeAddress({ buffer, byteOffset } as ArrayBufferView);
}

export function fakeNative(overrides: Partial<NativeBinding> = {}): FakeNative {
  const requests: ContrastiveRequest[] = [];
  const plans: PlanRequest[] = [];
  let asked = 0;
  const record = (request: ContrastiveRequest) => {
    requests.push(request);
    return fakeResponse;
  };
  const binding: NativeBinding = {
    contrastive: async (request) => record(request),
    contrastiveSync: record,
    search: async () => ({ stats }),
    plan(request) {
      plans.push(request);
      return {
        flops: 4e9,
        threads: 2,
        workspaceBytes: 4096,
        minimumWorkspaceBytes: 1024,
        lseBytes: 512,
        slabs: 3,
        seconds: 0.2,
      };
    },
    cpuInfo: () => ({ isa: 'none', isas: ['none'], threads: 2 }),
    memoryAddress: (memory) => fakeAddress(memory as ArrayBufferView),
    ...noOtherMemory,
    cudaInfo: () => ({ available: false, reason: 'no device at all', devices: [] }),
    ...overrides,
  };
  const functions = createLossFunctions(() => {
    asked++;
    return binding;
  });
  return { functions, binding, requests, plans, asked: () => asked };
}

/** Features whose numbers do not matter. */
export function matrix(rows: number, dim: number): MatrixLike {
  return { data: new Float32Array(rows * dim), shape: [rows, dim] };
}

export interface Thrown {
  type: typeof Error;
  code: string;
  /** Part of the message. */
  message: string | RegExp;
}

/** The error that `run` throws, synchronously. */
export function thrownBy(run: () => unknown): InfclError {
  try {
    run();
  } catch (error) {
    return error as InfclError;
  }
  throw new Error('Expected an error but none was thrown');
}

export function expectError(error: InfclError, { type, code, message }: Thrown): void {
  expect(Object.getPrototypeOf(error)).toBe(type.prototype);
  expect(error.code).toBe(code);
  if (typeof message === 'string') expect(error.message).toContain(message);
  else expect(error.message).toMatch(message);
}

/**
 * All four functions refuse these arguments with the same error; the asynchronous ones reject. None of
 * them calls native code, except for addresses. The two without gradient accept what only concerns
 * gradients: `gradientOnly`.
 */
export async function expectRefused(
  args: { queries: unknown; keys: unknown; options?: unknown },
  thrown: Thrown,
  gradientOnly = false,
): Promise<void> {
  const { functions, asked, requests } = fakeNative();
  const call = [args.queries, args.keys, args.options] as [Features, Features, ContrastiveOptions];
  const names: ('contrastiveLossAndGrad' | 'contrastiveLoss')[] = ['contrastiveLossAndGrad'];
  if (!gradientOnly) names.push('contrastiveLoss');
  for (const name of names) {
    // TypeScript calls no union of generic functions
    const sync = functions[`${name}Sync`] as LossFunctions['contrastiveLossSync'];
    const async = functions[name] as LossFunctions['contrastiveLoss'];
    expectError(
      thrownBy(() => sync(...call)),
      thrown,
    );
    const outcome = await async(...call).then(
      () => 'no error',
      (error: InfclError) => error,
    );
    expectError(outcome as InfclError, thrown);
  }
  expect(requests).toEqual([]);
  // where memory lies, only the native side knows
  if (thrown.code !== 'ERR_OVERLAP') expect(asked()).toBe(0);
}
