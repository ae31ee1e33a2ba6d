/**
 * Types of `infcl/onnx`: its options, its encoder, and the parts of ONNX Runtime that the adapter uses. The
 * types are structural, because a program may have several modules of ONNX Runtime.
 */

import type { HalfFloatArray } from '../../matrix/host-matrix';
import type { Encoder } from '../../trainer/encoder';

/** Elements and shape of one input of the model: a tensor of ONNX Runtime or of transformers.js fits. */
export interface OnnxTensorLike {
  /** Element type in ONNX Runtime's words, as 'int64' or 'float32'. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Elements in row-major order, in the class that belongs to the type: a BigInt64Array for 'int64'. */
  readonly data: unknown;
}

/** One tensor for each input of the model, by the names of the inputs. */
export type OnnxFeeds = Readonly<Record<string, OnnxTensorLike>>;

/** What a session says of one input or output of its model. */
export interface OnnxMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** A dimension whose size varies is a string. Empty where the model does not state a shape. */
  readonly shape?: readonly (number | string)[];
}

/** The part of an `InferenceSession` that the adapter uses. */
export interface OnnxSession {
  readonly inputMetadata: readonly OnnxMetadata[];
  readonly outputMetadata: readonly OnnxMetadata[];
  run(feeds: OnnxFeeds, fetches: readonly string[]): Promise<Readonly<Record<string, OnnxTensorLike>>>;
}

/** The part of `import * as ort from 'onnxruntime-node'` that the adapter uses. */
export interface OnnxModule {
  Tensor: abstract new (...args: never[]) => OnnxTensorLike;
}

/**
 * How the features [tokens x dim] of one row become one vector, as in sentence-transformers. `mean`: the
 * mean of the tokens that the mask marks. `cls`, `first_token`: the first one that the mask marks.
 * `last_token`: the last one. `none`: the output is [rows x dim] already.
 */
export type OnnxPool = 'mean' | 'cls' | 'first_token' | 'last_token' | 'none';

export interface OnnxEncoderOptions<Input> {
  /** The module that made the session. */
  ort: OnnxModule;
  /** A session of ONNX Runtime 1.22 or newer. It stays the caller's, who releases the session. */
  session: OnnxSession;
  /**
   * The inputs of the model for one chunk, by their names, with one row for each item. May be async. Tensors
   * stay the caller's. Plain `{ type, data, dims }` and tensors of transformers.js become tensors of `ort`.
   */
  feeds(input: Input): OnnxFeeds | Promise<OnnxFeeds>;
  /**
   * Name of the output with the features: [rows x dim], or [rows x tokens x dim] with {@link pool}; float32
   * or float16. May be left out if the model has one output.
   */
  output?: string | undefined;
  /** Needed for an output of three dimensions, and for no other one. */
  pool?: OnnxPool | undefined;
  /**
   * Name of the mask [rows x tokens] among the feeds: 1 for a token, 0 for padding. Default
   * 'attention_mask' if the model has this input. Any other name may be a feed for the mask alone, which the
   * model does not get. null: every token counts. `mean` and `last_token` need a mask or null.
   */
  mask?: string | null | undefined;
  /** Divides each row by its length, at the end. Rows of zeros stay zeros. Default false. */
  normalize?: boolean | undefined;
}

/** Features of one chunk. Float16 comes as ONNX Runtime has it: a Float16Array, or its bits in older Node. */
export interface OnnxFeatures {
  data: Float32Array | Uint16Array | HalfFloatArray;
  /** [rows, dim] */
  shape: readonly number[];
  dtype: 'float32' | 'float16';
}

/** An encoder without `backward`: its tower is frozen. Holds no memory, so there is nothing to dispose of. */
export interface OnnxEncoder<Input> extends Encoder<Input> {
  /** The features are the caller's own, and no later call changes them. */
  encode(input: Input): Promise<OnnxFeatures>;
  backward?: never;
}
