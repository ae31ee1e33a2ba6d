/** A stand-in for ONNX Runtime: tensors that know whether they were disposed of, and sessions that compute nothing. */
import type { OnnxFeeds, OnnxMetadata, OnnxTensorLike } from '../../lib/adapters/onnx';

/** Every tensor that was made since the last `forgetTensors`. */
export const tensors: Tensor[] = [];

export function forgetTensors(): void {
  tensors.length = 0;
}

export class Tensor implements OnnxTensorLike {
  disposed = 0;
  constructor(
    readonly type: string,
    readonly data: unknown,
    readonly dims: readonly number[],
  ) {
    tensors.push(this);
  }
  dispose(): void {
    this.disposed++;
  }
}

export const ort = { Tensor };

export const port = (name: string, type: string, ...shape: (number | string)[]): OnnxMetadata => ({
  name,
  isTensor: true,
  type,
  shape,
});

export interface Call {
  feeds: OnnxFeeds;
  fetches: readonly string[];
}

/** A session that returns what `outputs` makes, and writes its calls down. */
export function sessionOf(
  inputMetadata: OnnxMetadata[],
  outputMetadata: OnnxMetadata[],
  outputs: (feeds: OnnxFeeds) => Record<string, OnnxTensorLike>,
) {
  const calls: Call[] = [];
  const run = async (feeds: OnnxFeeds, fetches: readonly string[]) => {
    calls.push({ feeds, fetches });
    return outputs(feeds);
  };
  return { inputMetadata, outputMetadata, run, calls };
}
