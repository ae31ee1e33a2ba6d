/**
 * Groups of ranks as they cross between TypeScript and the native addon: one process for each rank, started by an MPI
 * launcher. Types only.
 */

declare const group: unique symbol;
/** A handle of a group. Opaque. */
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
  /** Not empty: an error of this rank's call, which the other ranks get. This rank does nothing else. */
  refusal: string;
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
  /** `library`: a path, or '' to find the launcher's own. `timeout`: seconds. */
  openGroup(request: { library: string; timeout: number }): Promise<NativeGroup>;
  /** Calls run one after another, in the order in which they are made here. */
  callGroup(handle: GroupHandle, request: CollectiveRequest): Promise<void>;
  /** Waits until all ranks leave, then ends MPI. Does nothing to a group that has failed. */
  closeGroup(handle: GroupHandle): Promise<void>;
  /** The calls of all ranks, and all later ones, end with this text. */
  failGroup(handle: GroupHandle, text: string): void;
  /**
   * For the end of the process: waits for the other ranks, or ends all of them. May end this process itself, with
   * `exitCode` or, in place of 0, with 1.
   */
  leaveGroup(handle: GroupHandle, exitCode: number): void;
  findMpi(request: { library: string }): MpiLibrary;
}
