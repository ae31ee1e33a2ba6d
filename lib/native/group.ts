/**
 * Groups of ranks as they cross between TypeScript and the native addon. A rank is a thread of this process, or a
 * process that an MPI launcher started. Types only.
 */

declare const group: unique symbol;
/** One rank of a group: its messages to the other ranks, and the thread of its calls. Opaque. */
export interface GroupHandle {
  readonly [group]: never;
}

/** A library of MPI, before MPI begins. */
export interface MpiLibrary {
  /** Path of its file. */
  library: string;
  /** The layout of its handles and constants: 'Open MPI', 'MPICH' or 'MPI-5.0'. */
  layout: string;
  /** The first line of its own text. */
  version: string;
}

export interface NativeGroup extends MpiLibrary {
  handle: GroupHandle;
  rank: number;
  size: number;
}

export type CollectiveDType = 'float32' | 'float64' | 'int32' | 'uint8';
export type CollectiveArray = Float32Array | Float64Array | Int32Array | Uint8Array;
/** How the values of all ranks become one. */
export type Reduction = 'sum' | 'min' | 'max';

/** One call that all ranks make. Which fields a call has is up to `call`; the others are empty. */
export interface CollectiveRequest {
  call: 'allReduce' | 'broadcast' | 'allGather' | 'barrier';
  dtype: CollectiveDType | '';
  /** Read, and by allReduce and broadcast written. */
  values: CollectiveArray | null;
  operation: Reduction | '';
  root: number;
  /** [size * values.length], written by allGather. */
  into: CollectiveArray | null;
}

/** What the addon does for groups. Errors beside those of all calls: ERR_RANK_FAILED, ERR_BACKEND_UNAVAILABLE. */
export interface NativeGroups {
  /** One handle for each of `ranks` threads of this process, in rank order. */
  threadGroups(request: { ranks: number }): GroupHandle[];
  /** `library`: a path, or '' to find the launcher's own. `timeout`: seconds. */
  openGroup(request: { library: string; timeout: number }): Promise<NativeGroup>;
  /** Calls run one after another, in the order in which they are made here. */
  callGroup(handle: GroupHandle, request: CollectiveRequest): Promise<void>;
  /**
   * Takes the place of a call that this rank did not make, so that the others do not wait for it. `started`: the call
   * reached native code, and failed there. Then does nothing if all ranks had come. Settles once all ranks have come,
   * and keeps no event loop alive.
   */
  refuseGroupCall(handle: GroupHandle, refusal: { message: string; started: boolean }): Promise<void>;
  /**
   * A rank that is a process waits until all ranks leave, then ends MPI; nothing happens to a group that has failed. A
   * rank that is a thread gives back its threads at once.
   */
  closeGroup(handle: GroupHandle): Promise<void> | undefined;
  /** Of a group of processes: the calls of all ranks, and all later ones, end with this text. */
  failGroup(handle: GroupHandle, text: string): void;
  /**
   * Of a group of processes, at the end of this process: waits for the other ranks, or ends all of them. May end
   * this process itself, with `exitCode` or, in place of 0, with 1.
   */
  leaveGroup(handle: GroupHandle, exitCode: number): void;
  findMpi(request: { library: string }): MpiLibrary;
}
