/**
 * What the caller's `feeds` returned for one chunk, held against the inputs of the model. ONNX Runtime finds
 * some of these mistakes too, but does not name the inputs.
 *
 * Changes no tensor of the caller.
 */

import { describeList, isArray, shorten } from '../describe';
import { codedError } from '../errors';
import { valueHint } from '../hints';
import * as check from '../validate';
import type { CheckedModel } from './onnx-options';
import type { OnnxTensorLike } from './onnx-types';

export interface MadeFeeds {
  /** Tensors of the module, for the inputs of the model. */
  tensors: Record<string, OnnxTensorLike>;
  /** Those of the tensors that were made here, and are to be disposed of. */
  made: OnnxTensorLike[];
  /** The mask of the pool, which may be no input of the model. */
  mask: OnnxTensorLike | undefined;
}

/** Throws ERR_ENCODER, ERR_DTYPE or ERR_SHAPE. */
export function readFeeds({ inputs, mask, Tensor }: CheckedModel<never>, returned: unknown): MadeFeeds {
  const given = returned as Record<string, unknown>;
  if (typeof given !== 'object' || given === null || isArray(given)) {
    throw check.invalid(
      'ERR_ENCODER',
      'the result of options.feeds()',
      'object of tensors by name',
      returned,
    );
  }
  const names = inputs.map(({ name }) => name);
  const wanted = mask === undefined || names.includes(mask) ? names : [...names, mask];
  const unknown = Object.keys(given).find((name) => !wanted.includes(name));
  if (unknown !== undefined) {
    throw codedError(
      'ERR_ENCODER',
      `Unknown name ${shorten(unknown)} in the result of options.feeds()${valueHint(unknown, wanted)}; ` +
        `known are ${wanted.join(', ')}`,
    );
  }
  const isForeign = ([, tensor]: [string, object]) => !(tensor instanceof Tensor);
  const feeds: MadeFeeds = { tensors: {}, made: [], mask: undefined };
  const checked = wanted.map((name) => [name, checkTensor(name, given[name])] as const);
  for (const [name, tensor] of checked) {
    const port = inputs.find((input) => input.name === name);
    if (name === mask) feeds.mask = tensor;
    if (port === undefined) continue;
    checkFits(port, tensor);
    feeds.tensors[name] = tensor;
  }
  for (const [name, { type, data, dims }] of Object.entries(feeds.tensors).filter(isForeign)) {
    feeds.tensors[name] = new Tensor(type, data, Array.from(dims));
    feeds.made.push(feeds.tensors[name]);
  }
  return feeds;
}

const nameOfFeed = (name: string) => `${shorten(name)} in the result of options.feeds()`;

function checkTensor(name: string, value: unknown): OnnxTensorLike {
  const tensor = value as Partial<OnnxTensorLike> | null | undefined;
  if (typeof tensor !== 'object' || typeof tensor?.type !== 'string' || !isArray(tensor.dims)) {
    throw check.invalid('ERR_ENCODER', nameOfFeed(name), 'tensor { type, data, dims }', value);
  }
  return tensor as OnnxTensorLike;
}

/** The element type, and every dimension whose size the model states. */
function checkFits({ name, type, shape }: CheckedModel<never>['output'], tensor: OnnxTensorLike): void {
  if (type !== undefined && tensor.type !== type) {
    throw check.invalid('ERR_DTYPE', `the element type of ${nameOfFeed(name)}`, type, tensor.type);
  }
  const { dims } = tensor;
  const fits =
    shape === undefined ||
    (shape.length === dims.length && shape.every((size, i) => typeof size === 'string' || size === dims[i]));
  if (fits) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected [${shape.join(', ')}] for the shape of ${nameOfFeed(name)} but received ${describeList(dims)}`,
  );
}
