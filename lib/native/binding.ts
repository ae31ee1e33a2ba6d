/**
 * The interface between TypeScript and the native addon, as TypeScript sees it.
 *
 * This file lists all values that cross: typed arrays, plain numbers and strings, one promise. The caller
 * (`lib/`) has checked every field and allocated every output. Native code fills outputs and never guesses a
 * shape from a length. Float16 and bfloat16 cross as bits in a Uint16Array.
 */

/** A backend by name. */
export type BackendName = 'cpu' | 'cuda';
export type DType = 'float32' | 'float16' | 'bfloat16';
export type Objective = 'clip' | 'infonce' | 'ntxent' | 'supcon' | 'siglip';

/** The similarities that count against a pair: of a query and a key, of two queries, or of two keys. */
export type DirectionName = 'queryToKey' | 'keyToQuery' | 'queryToQuery' | 'keyToKey';

/** Bits of {@link ContrastiveRequest.directions}. */
export const Direction = {
  queryToKey: 1,
  keyToQuery: 2,
  queryToQuery: 4,
  keyToKey: 8,
} as const satisfies Record<DirectionName, number>;

declare const deviceMemory: unique symbol;
/**
 * A handle of memory of a device, from one of its bytes on. Opaque; collected like an object, or released.
 */
export interface DeviceHandle {
  readonly [deviceMemory]: never;
}

interface MatrixOfShape {
  dtype: DType;
  rows: number;
  dim: number;
  /** Elements from one row to the next, at least `dim`. */
  rowStride: number;
}

export interface NativeHostMatrix extends MatrixOfShape {
  data: Float32Array | Uint16Array;
  device?: undefined;
}

export interface NativeDeviceMatrix extends MatrixOfShape {
  data: DeviceHandle;
  /** Index of the device on which `data` is. */
  device: number;
}

export type NativeMatrix = NativeHostMatrix | NativeDeviceMatrix;

/** The place of a gradient: float32, without gaps on the host. */
export type NativeOutput = Float32Array | NativeDeviceMatrix;

/** Words of {@link ContrastiveRequest.control}. Both languages access them atomically. */
export const Control = { abort: 0, done: 1, total: 2, length: 3 } as const;

/** The backend that runs a request. Calls on different backends or devices run beside each other. */
export interface BackendChoice {
  backend: BackendName;
  /** Index of the CUDA device; 0 for the CPU. */
  device: number;
}

export interface ContrastiveRequest extends BackendChoice {
  queries: NativeMatrix;
  /** Null: supcon over the queries alone. */
  keys: NativeMatrix | null;
  objective: Objective;
  /** Bits of {@link Direction}; 0: the directions of the objective. */
  directions: number;
  /** True: one denominator per query over all directions. False: one denominator per direction. */
  jointPartition: boolean;
  logitScale: number;
  /** siglip alone. */
  logitBias: number;
  /** Key index of each query's positive. Null: row i's positive is key i. */
  labels: Int32Array | null;
  /** supcon alone: class of each query and of each key. */
  queryClasses: Int32Array | null;
  keyClasses: Int32Array | null;
  /** Pairs of equal id do not count against each other. Both or none. */
  queryIds: Int32Array | null;
  keyIds: Int32Array | null;
  /** One id for each row of the hard negatives. */
  hardNegativeIds: Int32Array | null;
  /** Negatives more similar than the positive by more than this do not count. Null: all do. */
  falseNegativeMargin: number | null;
  labelSmoothing: number;
  /** [M] weights of the queries' losses, or null. */
  queryWeights: Float32Array | null;
  /**
   * Added, times the similarity and without gradient, to logits: of negatives in the batch, and
   * of hardNegatives.
   */
  hardness: number;
  hardNegativeHardness: number;
  /** [M * h x D] hard negatives, h of each query, or null. */
  hardNegatives: NativeMatrix | null;
  /** Whether to multiply in bfloat16 where the machine can. */
  bfloat16: boolean;
  /** 0: exact. Otherwise the fraction of its weight that a row of the gradient may lose to skipped tiles. */
  gradientFilter: number;
  /** False: loss only, the gradient arrays are null. */
  gradient: boolean;
  /** [M x D], or null when queries are frozen. */
  queryGrads: NativeOutput | null;
  /**
   * [n x D], or null when keys are frozen. n may be smaller than the number of keys; the other keys are
   * a bank.
   */
  keyGrads: NativeOutput | null;
  hardNegativeGrads: NativeOutput | null;
  /** Per-row outputs, each [M], or null. */
  rows: { loss: Float32Array; lse: Float32Array; positiveFirst: Uint8Array } | null;
  /** Threads of the CPU; 0: as many as the machine has. */
  threads: number;
  /** Upper bound on scratch memory in bytes, on a device on its memory. 0: the planner's default. */
  workspaceBytes: number;
  /** Three words: abort flag (written by JavaScript), steps done in both passes, steps of one pass. */
  control: Int32Array;
}

export interface NativeStats {
  /** Instruction set, or architecture and name of the device. */
  isa: string;
  /** 0 on a device. */
  threads: number;
  /** Floating-point operations of the matrix products actually executed. */
  flops: number;
  seconds: number;
  forwardSeconds: number;
  backwardSeconds: number;
  workspaceBytes: number;
  peakBytes: number;
  tiles: number;
  /** Tiles of scores that the backward pass did not compute again, because the forward pass kept them. */
  tilesReused: number;
  tilesSkipped: number;
  maskedPairs: number;
  /** Parts in which a device took the longest matrix; 1: as a whole. */
  slabs: number;
}

export interface ContrastiveResponse {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  stats: NativeStats;
}

export interface PlanRequest extends BackendChoice {
  objective: Objective;
  /** How many. */
  queries: number;
  /** How many; 0: supcon over the queries alone. */
  keys: number;
  dtype: DType;
  bfloat16: boolean;
  dim: number;
  gradient: boolean;
  threads: number;
  workspaceBytes: number;
}

export interface NativePlan {
  flops: number;
  threads: number;
  workspaceBytes: number;
  /** The least `workspaceBytes` a call of this shape accepts. */
  minimumWorkspaceBytes: number;
  lseBytes: number;
  slabs: number;
  /** GFLOP/s of this machine's kernels on `threads` threads, measured once per process on a small tile. */
  gflopsPerSecond: number;
}

interface CpuInfo {
  /** Chosen instruction set: 'scalar' | 'avx2' | 'avx512' on x64, 'scalar' | 'neon' on arm64. */
  isa: string;
  /** All instruction sets that this machine can run, slowest first. */
  isas: string[];
  /** The most threads of a call that names no number. */
  threads: number;
}

interface CudaInfo {
  available: boolean;
  /** Why it is not available. */
  reason: string;
  /** Names of the devices, by index. */
  devices: string[];
}

/** Memory that another framework or addon owns, in the device's primary context. */
interface ForeignMemory {
  device: number;
  pointer: bigint;
  bytes: number;
  /** The driver's handle of the stream on which its owner works with it, or null. */
  stream: bigint | null;
}

/** Bytes of a device. */
export interface DeviceMemory {
  /** Bytes that a call can get, `kept` included. */
  free: number;
  total: number;
  /** Bytes that this process keeps for its next call. Other processes cannot have them. */
  kept: number;
  /** Bytes of matrices of this thread, and of calls that still run on matrices that were disposed of. */
  allocated: number;
  /**
   * Number of matrices of this thread that are neither disposed of nor collected. Views and wrapped
   * memory count.
   */
  matrices: number;
}

/**
 * Native errors are Error objects with a string `code`: ERR_NOT_FINITE, ERR_WORKSPACE, ERR_OUT_OF_MEMORY,
 * ERR_ABORTED, ERR_ISA (INFCL_ISA names one this machine lacks), ERR_BACKEND_UNAVAILABLE, ERR_DEVICE,
 * ERR_DISPOSED, ERR_INTERNAL.
 */
export interface NativeBinding {
  contrastive(request: ContrastiveRequest): Promise<ContrastiveResponse>;
  contrastiveSync(request: ContrastiveRequest): ContrastiveResponse;
  plan(request: PlanRequest): NativePlan;
  cpuInfo(): CpuInfo;
  cudaInfo(): CudaInfo;
  /** Address of the first byte of a typed array, offset included. */
  memoryAddress(array: ArrayBufferView): number;

  allocateDevice(request: { device: number; bytes: number }): DeviceHandle;
  wrapDevice(memory: ForeignMemory): DeviceHandle;
  /**
   * A second handle of the same memory, from `byteOffset` on. `isMatrix` is true for a matrix, and false for
   * a call that keeps the memory of one.
   */
  shareDevice(handle: DeviceHandle, byteOffset: number, isMatrix: boolean): DeviceHandle;
  /** Gives up this handle; releasing the last handle frees the memory. May be repeated. */
  releaseDevice(handle: DeviceHandle): void;
  devicePointer(handle: DeviceHandle): bigint;
  /** Copies the rows of `matrix` without gaps to the beginning of `memory`. */
  uploadDevice(request: { device: number; memory: DeviceHandle; matrix: NativeHostMatrix }): Promise<void>;
  /** Copies the rows of `matrix` without gaps to the beginning of `into`. */
  downloadDevice(request: {
    device: number;
    matrix: NativeDeviceMatrix;
    into: Float32Array | Uint16Array;
  }): Promise<void>;
  deviceMemory(request: { device: number }): DeviceMemory;
}
