/**
 * What the caller's `feeds` returned for one chunk, held against the inputs of the model. ONNX Runtime finds
 * some of these mistakes too, but does not name the inputs.
 *
 * Changes no tensor of the caller.
 */

import { describeList, isArray, shorten } from '../../describe';
import { codedError } from '../../errors';
import { valueHint } from '../../hints';
import * as check from '../../validate';
import type { CheckedModel } from './options';
import type { OnnxTensorLike } from './types';

interface CheckedFeeds {
  /** Tensors of the module, for the inputs of the model. */
  tensors: Record<string, OnnxTensorLike>;
  /** The mask of the pool, which may be no input of the model. */
  mask: OnnxTensorLike | undefined;
}

/**
 * Throws ERR_ENCODER, ERR_DTYPE or ERR_SHAPE.
 *
 * @param made Gets the tensors that were made here. The caller disposes of them, also after an error.
 */
export function readFeeds(
  { inputs, mask, Tensor }: CheckedModel<never>,
  returned: unknown,
  made: OnnxTensorLike[],
): CheckedFeeds {
  const names = inputs.map(({ name }) => name);
  const wanted = mask === undefined || names.includes(mask) ? names : [...names, mask];
  const given = readTensors(wanted, returned);
  for (const port of inputs) checkFits(port, given[port.name]!);
  const isOwn = (tensor: object): boolean => tensor instanceof Tensor;
  const tensors = Object.fromEntries(names.map((name) => [name, given[name]!]));
  for (const [name, tensor] of Object.entries(tensors)) {
    if (isOwn(tensor)) continue;
    tensors[name] = new Tensor(tensor.type, tensor.data, Array.from(tensor.dims));
    made.push(tensors[name]);
  }
  return { tensors, mask: mask === undefined ? undefined : given[mask] };
}

/** The tensors by their names: all that are wanted, and no others. */
function readTensors(wanted: readonly string[], returned: unknown): Record<string, OnnxTensorLike> {
  const given = returned as Record<string, unknown>;
  if (typeof given !== 'object' || given === null || isArray(given)) {
    const expected = 'object of tensors by name';
    throw check.invalid('ERR_ENCODER', 'the result of options.feeds()', expected, returned);
  }
  for (const name of Object.keys(given)) {
    if (wanted.includes(name) || given[name] === undefined) continue;
    throw codedError(
      'ERR_ENCODER',
      `Unknown name ${shorten(name)} in the result of options.feeds()${valueHint(name, wanted)}; ` +
        `known are ${wanted.join(', ')}`,
    );
  }
  return Object.fromEntries(wanted.map((name) => [name, checkTensor(name, given[name])]));
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
