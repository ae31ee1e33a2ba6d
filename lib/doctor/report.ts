/**
 * What the doctor reports: the types of `infcl doctor --json`, of which the text is a rendering.
 *
 * Refuses to hold anything that only one of the two forms shows.
 */

import type { BackendInfo } from '../backend';

/** Grows when a field changes its meaning or goes away. New fields leave the number as it is. */
export const schemaVersion = 1;

export interface SystemInfo {
  /** In Node's words: linux, win32, darwin. */
  platform: string;
  /** In Node's words: x64, arm64. */
  arch: string;
  /** Release of the kernel. */
  kernel: string;
  /** Name and version of the C library: "glibc 2.36", "musl". Null outside Linux. */
  libc: string | null;
}

export interface RuntimeInfo {
  /** "Node 20.17.0", "Bun 1.2.0 as Node 22.6.0". */
  name: string;
  /** What package.json asks for, and whether the runtime has it. */
  wanted: string;
  supported: boolean;
}

export interface ProcessorInfo {
  model: string;
  /** Logical processors of the machine. */
  count: number;
  /** The processors that this process may run on, as "0-3,8"; null where the system does not tell. */
  affinity: string | null;
  /** Processors' worth of time that the control groups grant, such as 1.5. Null: no limit is known. */
  quota: number | null;
  /** Those features that the kernels use, in the words of /proc/cpuinfo. Null where there is no such file. */
  features: string[] | null;
}

/** Bytes. */
export interface MemoryInfo {
  total: number;
  available: number;
  /** Limit of the control group. Null: no limit below `total` is known. */
  limit: number | null;
}

export interface AddonInfo {
  /** Path of the file that was loaded. The home folder is written as ~. */
  file: string;
  origin:
    | 'prebuilt'
    | 'built in a clone'
    | 'compiled out of the package'
    | 'named by INFCL_PREBUILD'
    | 'other';
  /** System of the file, such as "linux-x64". Null: the file has an unknown form. */
  platform: string | null;
  bytes: number;
  /** Targets of the CUDA kernels in the file, such as "sm_80". Empty: the file has none. */
  cudaTargets: string[];
}

export interface CpuInfo {
  /** The instruction set of calls. */
  isa: string;
  /** All instruction sets that both this build and this processor have, slowest first. */
  isas: string[];
  /** Threads of a large call. */
  threads: number;
}

/** The MPI library that `infcl/mpi` would open here. */
export interface MpiInfo {
  available: boolean;
  /** Why there is none. */
  reason?: string;
  /** Path of its file. The home folder is written as ~. */
  library?: string;
  /** The layout of its handles and constants: "Open MPI", "MPICH" or "MPI-5.0". */
  layout?: string;
  /** What it says of itself. */
  version?: string;
}

/** One backend, or one device of a backend, against the stored values. */
export interface SelfTestResult {
  /** "cpu", or "cuda 0". */
  on: string;
  cases: number;
  /** One sentence for each case that is wrong. */
  failures: string[];
  seconds: number;
}

export interface TimingResult {
  on: string;
  /** What was timed. */
  call: string;
  /** The fastest of `runs`. */
  seconds: number;
  runs: number;
  gflopsPerSecond: number;
  /** Instruction set or device of the call. */
  isa: string;
  threads: number;
}

/** What only the native addon can tell. */
export interface Examination {
  /** What was done last, for a process that died in between. */
  step: string;
  addon: AddonInfo | null;
  /** The loader's message where the addon did not load. */
  loadFailure: string | null;
  backends: BackendInfo[];
  cpu: CpuInfo | null;
  /** Null where the addon did not load. */
  mpi: MpiInfo | null;
  selfTests: SelfTestResult[];
  timings: TimingResult[];
  /** What was left out, and why: one sentence each. */
  notes: string[];
  /** What is wrong, beside the failures above: one sentence each. */
  problems: string[];
}

/** What is known before the first answer. */
export function emptyExamination(step: string): Examination {
  return {
    step,
    addon: null,
    loadFailure: null,
    backends: [],
    cpu: null,
    mpi: null,
    selfTests: [],
    timings: [],
    notes: [],
    problems: [],
  };
}

export interface DoctorReport extends Omit<Examination, 'step'> {
  schemaVersion: number;
  /** Version of infcl. */
  infcl: string;
  /** Whether nothing is wrong; the exit status is 0 then. */
  ok: boolean;
  system: SystemInfo;
  runtime: RuntimeInfo;
  processor: ProcessorInfo;
  memory: MemoryInfo;
  /** Variables that are set and change what infcl loads or computes with. */
  environment: Record<string, string>;
}
