/** ONNX Runtime as the peers use it, typed by the few things they need: the package is only where `npm run hosts` ran. */
import { createRequire } from 'node:module';
import { hostsManifest } from './toolchain.js';

type Tensor = object;

export interface Session {
  /** Writes into the tensors of `fetches`. */
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor>): Promise<unknown>;
}

interface OnnxRuntime {
  env: { versions: { node: string } };
  Tensor: new (
    type: 'float32' | 'int64',
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => Tensor;
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

const ort = createRequire(hostsManifest)('onnxruntime-node') as OnnxRuntime;

export const onnxRuntimeVersion = ort.env.versions.node;

export const tensor = (data: Float32Array | BigInt64Array, dims: readonly number[]): Tensor =>
  new ort.Tensor(data instanceof Float32Array ? 'float32' : 'int64', data, dims);

export interface SessionRequest {
  threads: number;
  /** The option `enableMemPattern`, on by default: memory for all tensors of a call in one piece, from the second call on. */
  memoryPatterns: boolean;
}

/** Idle threads do not spin, because spinning would take a core from the contestant who is timed next. */
export function createSession(
  model: Uint8Array,
  { threads, memoryPatterns }: SessionRequest,
): Promise<Session> {
  return ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    enableMemPattern: memoryPatterns,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}
