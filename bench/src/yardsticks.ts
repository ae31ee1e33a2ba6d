/**
 * The contestants and rulers of this bench, each started in a process of its own. Nothing here times our
 * own code.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { LineProcess } from './line-process.js';
import type { DenseForm } from './onnx-dense.js';
import type { SessionRequest } from './onnx-runtime.js';
import type { Growth } from './resident.js';
import type { SearchShape } from './search.js';
import { benchFolder, compileNative, findOnnxRuntime, findTorchPython, Unavailable } from './toolchain.js';

export type Products = 'forward' | 'frozen' | 'full';

export interface Shape {
  rows: number;
  dim: number;
}

/** OpenBLAS chooses for itself, whatever this shell's environment would have it do. */
const openBlasAsItComes = {
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
  OPENBLAS_NUM_THREADS: undefined,
};

// All async, so that what is missing rejects and a contestant already started is stopped by duelOf.

/**
 * The matrix products of `products` alone, by OpenBLAS with its own choice of kernel unless `coreType`
 * names one.
 */
export async function startFloor(
  { rows, dim }: Shape,
  threads: number,
  products: Products,
  coreType?: string,
): Promise<LineProcess> {
  const file = compileNative('openblas-floor', { libraries: ['openblas'], install: 'libopenblas-dev' });
  const env = { ...openBlasAsItComes, OPENBLAS_CORETYPE: coreType };
  return LineProcess.start({ file, args: [`${rows}`, `${dim}`, `${threads}`, products], env });
}

/** The product of queries and keys alone, in panels of as many queries, by OpenBLAS. */
export async function startProduct(
  { queries, keys, dim }: SearchShape,
  threads: number,
  panelRows: number,
): Promise<LineProcess> {
  const file = compileNative('openblas-floor', { libraries: ['openblas'], install: 'libopenblas-dev' });
  const args = [queries, dim, threads, 'forward', keys, panelRows].map(String);
  return LineProcess.start({ file, args, env: openBlasAsItComes });
}

/** `hugePages`: glibc asks for them in PyTorch's name, which itself does not. */
export async function startTorch(
  { rows, dim }: Shape,
  threads: number,
  hugePages: boolean,
): Promise<LineProcess> {
  const script = join(benchFolder, 'peers', 'torch_dense.py');
  const args = [script, `${rows}`, `${dim}`, `${threads}`];
  const env = { ...openBlasAsItComes, GLIBC_TUNABLES: hugePages ? 'glibc.malloc.hugetlb=1' : undefined };
  return LineProcess.start({ file: findTorchPython(), args, env });
}

export async function startJax({ rows, dim }: Shape, tile: number): Promise<LineProcess> {
  const script = join(benchFolder, 'dist', 'jax-child.js');
  return LineProcess.start({ file: process.execPath, args: [script, JSON.stringify({ rows, dim, tile })] });
}

/** What a peer that compared itself with infcl says after "ready", as JSON. */
export interface PeerGreeting extends Growth {
  version: string;
  /** Largest relative difference from infcl: of the loss and the gradients, or of the scores of a search. */
  difference: number;
}

export interface OnnxRequest extends Shape, SessionRequest {
  form: DenseForm | 'query blocks';
  /** Rows of a block, where the form has blocks; divides `rows`. */
  blockRows: number;
}

export async function startOnnx(request: OnnxRequest): Promise<LineProcess> {
  findOnnxRuntime();
  const script = join(benchFolder, 'dist', 'onnx-child.js');
  return LineProcess.start({ file: process.execPath, args: [script, JSON.stringify(request)] });
}

export async function startTfjs({ rows, dim }: Shape): Promise<LineProcess> {
  const script = join(benchFolder, 'dist', 'tfjs-child.js');
  return LineProcess.start({ file: process.execPath, args: [script, JSON.stringify({ rows, dim })] });
}

/** `gflop` of fused multiply-adds alone, no memory, in each round: what the cores keep up beside ours. */
export async function startFma(isa: string, threads: number, gflop: number): Promise<LineProcess> {
  return LineProcess.start({ file: compileNative('fma-peak'), args: [isa, `${threads}`, `${gflop}`] });
}

const peaks = new Map<string, number>();

/** GFLOP/s of fused multiply-adds on `threads` threads, measured once per run. */
export function fmaPeak(isa: string, threads: number): number {
  const key = `${isa} ${threads}`;
  if (!peaks.has(key)) {
    if (process.arch !== 'x64') throw new Unavailable('fma-peak is written for x86-64');
    const { status, stdout } = spawnSync(compileNative('fma-peak'), [isa, `${threads}`], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Unavailable(`this machine lacks ${isa}`);
    peaks.set(key, Number(stdout));
  }
  return peaks.get(key)!;
}
