/**
 * The interface between TypeScript and the native addon, as TypeScript sees it.
 *
 * This file, memory.ts and group.ts list all values that cross: typed arrays, numbers, strings, handles, promises.
 * The caller (`lib/`) has checked every field and allocated every output. Native code fills outputs and never
 * guesses a shape from a length. Float16 and bfloat16 cross as bits in a Uint16Array.
 */

import type { GroupHandle, NativeGroups } from './group';
import type {
  DeviceHandle,
  DeviceMemory,
  DType,
  ForeignMemory,
  MappingHandle,
  MappingRequest,
  NativeCpuMatrix,
  NativeDeviceMatrix,
  NativeMatrix,
  NativeOutput,
} from './memory';

export type * from './group';
export type * from './memory';

/** A backend by name. */
export type BackendName = 'cpu' | 'cuda';
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

/** Words of {@link ContrastiveRequest.control}. Both languages access them atomically. */
export const Control = { abort: 0, done: 1, total: 2, length: 3 } as const;

/** The backend that runs a request. Calls on different backends or devices run beside each other. */
export interface BackendChoice {
  backend: BackendName;
  /** Index of the CUDA device; 0 for the CPU. */
  device: number;
}

/** One ascending list of keys for each query, in compressed sparse rows. The CPU backend alone takes lists. */
export interface NativeKeyLists {
  /** [M + 1], from 0 on: the list of query i is `keys` from offsets[i] to before offsets[i + 1]. */
  offsets: Int32Array;
  keys: Int32Array;
}

/** Features of a guide, of a width of their own. Limits of its dots tell which negatives do not count. */
export interface NativeGuide {
  queries: NativeMatrix;
  keys: NativeMatrix;
  /** One row for each row of the hard negatives; null: these are not guided. */
  hardNegatives: NativeMatrix | null;
  margin: number;
  /** True: the margin is a fraction of the positive's dot. */
  relative: boolean;
}

/** Features of a teacher, of a width of their own. Their softmax is a second target of each anchor. */
export interface NativeTeacher {
  queries: NativeMatrix;
  keys: NativeMatrix;
  logitScale: number;
  /** Of the teacher's term in the loss. */
  weight: number;
}

export interface ContrastiveRequest extends BackendChoice {
  /** The rank whose rows these are. Labels then count the keys of all ranks. Null: the rows are the whole batch. */
  group: GroupHandle | null;
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
  /** clip and infonce: the positives of each query, in place of `labels`. Null: one positive each. */
  positives: NativeKeyLists | null;
  /** supcon alone: class of each query and of each key. */
  queryClasses: Int32Array | null;
  keyClasses: Int32Array | null;
  /** Pairs of equal id do not count against each other. Both or none. */
  queryIds: Int32Array | null;
  keyIds: Int32Array | null;
  /** Pairs that do not count against each other, except for labelled positives. Null: none. */
  excludedPairs: NativeKeyLists | null;
  /** One id for each row of the hard negatives. */
  hardNegativeIds: Int32Array | null;
  /** Negatives more similar than the positive by more than this do not count. Null: all do. */
  falseNegativeMargin: number | null;
  /** Null: no guide. The CPU backend alone. */
  guide: NativeGuide | null;
  /** Null: no teacher. The CPU backend alone. */
  teacher: NativeTeacher | null;
  labelSmoothing: number;
  /** [M] weights of the queries' losses, or null. */
  queryWeights: Float32Array | null;
  /**
   * Added, times the similarity and without gradient, to logits: of negatives in the batch, and
   * of hardNegatives.
   */
  hardness: number;
  hardNegativeHardness: number;
  /** [M * h x D] hard negatives, h of each query, or those that the offsets cut into queries; or null. */
  hardNegatives: NativeMatrix | null;
  /** [M + 1], from 0 to the number of hard negatives. Null: as many of each query. The CPU backend alone takes them. */
  hardNegativeOffsets: Int32Array | null;
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

/** What one visit of a call over several ranks took. */
export interface RingStep {
  /** 'limits': the dots of positives for `falseNegativeMargin`, where `labels` say which keys they are. */
  phase: 'limits' | 'forward' | 'backward';
  /** 0: the rank's own keys. t: keys of the rank t places behind. */
  step: number;
  computedSeconds: number;
  /** Time in which this rank waited for messages or for slower ranks. */
  waitedSeconds: number;
  /** Bytes that this rank sent on meanwhile. */
  bytesSent: number;
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
  /** With the option `group`, on several ranks: the timeline of this rank. */
  ring?: RingStep[];
}

export interface ContrastiveResponse {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  stats: NativeStats;
}

/** A search for the best keys of each query. */
export interface NativeTopK {
  /** From 1 to the number of keys. */
  k: number;
  /** [M] keys whose score is above the limit of their query are left out; null: none is. */
  limits: Float32Array | null;
  /** [M * k], written: the best keys of each query, best first, then -1. */
  indices: Int32Array;
  /** [M * k], written: their scores, then -Infinity. */
  scores: Float32Array;
}

/** A search for the rank of each query's best positive. */
export interface NativeRanks {
  /** [M + 1]: the positives of query i are those from offsets[i] to before offsets[i + 1], one at least. */
  offsets: Int32Array;
  /** Indices of keys. */
  positives: Int32Array;
  /** [M], written: 1 + the number of keys above the positive. */
  optimistic: Float64Array;
  /** [M], written: `optimistic` + the number of keys that are equal to the positive. */
  pessimistic: Float64Array;
}

export interface SearchRequest extends BackendChoice {
  queries: NativeCpuMatrix;
  keys: NativeCpuMatrix;
  /** Exactly one of `topK` and `ranks` is not null. */
  topK: NativeTopK | null;
  ranks: NativeRanks | null;
  /** Keys whose id equals the query's id are left out. Both or none. */
  queryIds: Int32Array | null;
  keyIds: Int32Array | null;
  /** [N]: keys of one group count once, by the best of them. Null: each key is a group. */
  keyGroups: Int32Array | null;
  /** These three as in {@link ContrastiveRequest}: a search is one forward pass. */
  threads: number;
  workspaceBytes: number;
  control: Int32Array;
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
  /** Widths of the features of a guide and a teacher; 0: the call has none. */
  guideDim: number;
  teacherDim: number;
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
  /** How long the call takes on an otherwise idle machine, by the times of its kernels on small tiles. */
  seconds: number;
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

/**
 * Native errors are Error objects with a string `code`: ERR_NOT_FINITE, ERR_WORKSPACE, ERR_OUT_OF_MEMORY,
 * ERR_ABORTED, ERR_ISA (INFCL_ISA names one this machine lacks), ERR_BACKEND_UNAVAILABLE, ERR_DEVICE,
 * ERR_DISPOSED, ERR_STORE, ERR_RANK_FAILED, ERR_INTERNAL.
 */
export interface NativeBinding extends NativeGroups {
  contrastive(request: ContrastiveRequest): Promise<ContrastiveResponse>;
  contrastiveSync(request: ContrastiveRequest): ContrastiveResponse;
  search(request: SearchRequest): Promise<Pick<ContrastiveResponse, 'stats'>>;
  plan(request: PlanRequest): NativePlan;
  cpuInfo(): CpuInfo;
  cudaInfo(): CudaInfo;
  /** Address of the first byte of a typed array, offset included, or of a mapping. */
  memoryAddress(memory: ArrayBufferView | MappingHandle): number;

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
  uploadDevice(request: { device: number; memory: DeviceHandle; matrix: NativeCpuMatrix }): Promise<void>;
  /** Copies the rows of `matrix` without gaps to the beginning of `into`. */
  downloadDevice(request: {
    device: number;
    matrix: NativeDeviceMatrix;
    into: Float32Array | Uint16Array;
  }): Promise<void>;
  deviceMemory(request: { device: number }): DeviceMemory;

  openMapping(request: MappingRequest): MappingHandle;
  /** A second handle of the same mapping. */
  shareMapping(handle: MappingHandle): MappingHandle;
  /** Gives up this handle; releasing the last handle unmaps the file. May be repeated. */
  releaseMapping(handle: MappingHandle): void;
  /** Copies elements to the beginning of `into`. `offset` counts bytes of the mapping. */
  readMapping(request: {
    mapping: MappingHandle;
    dtype: DType;
    offset: number;
    elements: number;
    into: Float32Array | Uint16Array;
  }): void;
}
