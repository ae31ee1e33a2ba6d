/**
 * `infcl/onnx`: makes a frozen Encoder for chunked training from a session of ONNX Runtime.
 *
 * The caller passes the module of ONNX Runtime in; this file never imports the module. A program may have
 * onnxruntime-node, onnxruntime-web or both, and only the caller knows which one made the session. For the
 * same reason the types are structural.
 *
 * Refuses to load models, to own the session, to train the model, and options that it does not know.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import * as check from '../validate';
import { readFeeds } from './onnx/feeds';
import { type CheckedModel, checkOptions } from './onnx/options';
import { type Mask, normalizeRows, poolTokens, readMask, toFloat32 } from './onnx/pool';
import type { OnnxEncoder, OnnxEncoderOptions, OnnxFeatures, OnnxFeeds, OnnxTensorLike } from './onnx/types';

export type {
  OnnxEncoder,
  OnnxEncoderOptions,
  OnnxFeatures,
  OnnxFeeds,
  OnnxMetadata,
  OnnxModule,
  OnnxPool,
  OnnxSession,
  OnnxTensorLike,
} from './onnx/types';

/**
 * Features from `pool` or `normalize` are float32; other features have the element type of the output.
 *
 * Reads the options once. Throws ERR_TYPE, ERR_VALUE, ERR_OPTION; ERR_SHAPE or ERR_DTYPE for an output that
 * is no features. `encode` rejects with ERR_ENCODER for feeds that are missing or unknown. Feeds that do not
 * fit the model are ERR_DTYPE or ERR_SHAPE. A mask of other values than 0 and 1, or a row without tokens, is
 * ERR_VALUE. Errors of `feeds` and of the session pass unchanged.
 */
export function onnxEncoder<Input>(options: OnnxEncoderOptions<Input>): OnnxEncoder<Input> {
  const model = checkOptions<Input>(options);
  return {
    async encode(input: Input): Promise<OnnxFeatures> {
      const made: OnnxTensorLike[] = [];
      try {
        const feeds = readFeeds(model, await model.feeds(input), made);
        const mask = feeds.mask && readMask(feeds.mask.dims, await dataOf(feeds.mask));
        return await runModel(model, feeds.tensors, mask);
      } finally {
        disposeOf(made);
      }
    },
  };
}

async function runModel(
  model: CheckedModel<never>,
  feeds: OnnxFeeds,
  mask: Mask | undefined,
): Promise<OnnxFeatures> {
  const { name } = model.output;
  // by its name: the session computes and copies no other output
  const results = await model.run(feeds, [name]);
  try {
    const tensor = results?.[name];
    if (!isArray(tensor?.dims)) {
      throw check.invalid('ERR_ENCODER', `the output ${name} of options.session.run()`, 'tensor', tensor);
    }
    return await featuresOf(model, tensor, mask);
  } finally {
    disposeOf(Object.values(results ?? {}));
  }
}

/** Copies nothing unless the model has `pool`, or `normalize` and a float16 output. */
async function featuresOf(
  { pool, output, normalize }: CheckedModel<never>,
  tensor: OnnxTensorLike,
  mask: Mask | undefined,
): Promise<OnnxFeatures> {
  const dims = [...tensor.dims];
  const expected = pool === undefined ? '[rows, dim]' : '[rows, tokens, dim]';
  if (dims.length !== (pool === undefined ? 2 : 3)) {
    const hint = dims.length === 3 ? '; options.pool makes one vector of the tokens of a row' : '';
    throw codedError(
      'ERR_SHAPE',
      `Expected ${expected} from the output ${output.name} but received [${dims.join(', ')}]${hint}`,
    );
  }
  const data = (await dataOf(tensor)) as OnnxFeatures['data'];
  if (pool === undefined && !normalize) {
    return { data, shape: dims, dtype: tensor.type as OnnxFeatures['dtype'] };
  }
  const [rows, dim] = [dims[0]!, dims.at(-1)!];
  const features =
    pool === undefined ? toFloat32(data) : poolTokens(pool, { data, rows, tokens: dims[1]!, dim }, mask);
  if (normalize) normalizeRows(features, dim);
  return { data: features, shape: [rows, dim], dtype: 'float32' };
}

type Downloadable = OnnxTensorLike & { getData?(release: boolean): Promise<unknown> };

/** Elements on the host. A tensor on a device is copied here; `getData` of one on the host copies nothing. */
async function dataOf(tensor: Downloadable): Promise<unknown> {
  return typeof tensor.getData === 'function' ? tensor.getData(false) : tensor.data;
}

/** A tensor on the host only forgets its elements, so views of the elements stay usable. */
function disposeOf(tensors: readonly (OnnxTensorLike & { dispose?(): void })[]): void {
  for (const tensor of tensors) tensor?.dispose?.();
}
