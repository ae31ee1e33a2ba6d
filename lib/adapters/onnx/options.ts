/**
 * The options of `onnxEncoder`, held against what the session says of its model. All that can be known
 * before the first chunk is refused here.
 *
 * Reads each option once. Runs nothing.
 */

import { isArray } from '../../describe';
import { valueHint } from '../../hints';
import { readNames } from '../../read-names';
import { isThenable } from '../../thenable';
import * as check from '../../validate';
import type { OnnxFeeds, OnnxMetadata, OnnxPool, OnnxTensorLike } from './types';

/** What remains of {@link OnnxPool}: undefined for an output that is features already. */
export type Pooling = 'mean' | 'first' | 'last' | undefined;

/** One input or output after the checks. */
interface Port {
  name: string;
  /** Undefined for a value that is no tensor. */
  type: string | undefined;
  /** Undefined where the model does not state a shape. */
  shape: readonly (number | string)[] | undefined;
}

type Run = (
  feeds: OnnxFeeds,
  fetches: readonly string[],
) => Promise<Readonly<Record<string, OnnxTensorLike>> | undefined>;

export interface CheckedModel<Input> {
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => OnnxTensorLike;
  run: Run;
  inputs: readonly Port[];
  output: Port;
  feeds: (input: Input) => Promise<unknown>;
  pool: Pooling;
  /** Name of the mask among the feeds; undefined where every token counts. */
  mask: string | undefined;
  normalize: boolean;
}

const optionNames = ['ort', 'session', 'feeds', 'output', 'pool', 'mask', 'normalize'] as const;

/** Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE or ERR_DTYPE. */
export function checkOptions<Input>(options: unknown): CheckedModel<Input> {
  const given = readNames('options', options, optionNames);
  const Tensor = checkModule(given.ort);
  const { run, inputs, outputs } = checkSession(given.session);
  const feeds = check.callback<(input: Input) => unknown>('options.feeds', given.feeds);
  const output = checkOutput(given.output, outputs);
  const pool = checkPool(given.pool, output);
  return {
    Tensor,
    run,
    inputs,
    output,
    feeds: async (input) => Reflect.apply(feeds, options, [input]),
    pool,
    mask: checkMask(given.mask, pool, inputs),
    normalize: given.normalize !== undefined && check.boolean('options.normalize', given.normalize),
  };
}

function checkModule(value: unknown): CheckedModel<never>['Tensor'] {
  const { Tensor } = check.plainObject('options.ort', value);
  if (typeof Tensor === 'function') return Tensor as CheckedModel<never>['Tensor'];
  const hint = "; options.ort is all of the module: import * as ort from 'onnxruntime-node'";
  throw check.invalid('ERR_TYPE', 'options.ort.Tensor', 'class', Tensor, hint);
}

function checkSession(value: unknown): { run: Run; inputs: Port[]; outputs: Port[] } {
  const session = check.plainObject('options.session', value);
  const { run } = session;
  if (typeof run !== 'function') {
    const hint = isThenable(value)
      ? '; await the session: await ort.InferenceSession.create(...)'
      : '; options.session is what ort.InferenceSession.create() resolves with';
    throw check.invalid('ERR_TYPE', 'options.session.run', 'function', run, hint);
  }
  return {
    run: async (feeds, fetches) => Reflect.apply(run, session, [feeds, fetches]),
    inputs: checkPorts('options.session.inputMetadata', session.inputMetadata),
    outputs: checkPorts('options.session.outputMetadata', session.outputMetadata),
  };
}

function checkPorts(name: string, value: unknown): Port[] {
  const ports = isArray(value) ? (value as Partial<OnnxMetadata>[]).map(readPort) : [];
  const known = ports.filter((port) => port !== undefined);
  if (known.length > 0 && known.length === ports.length) return known;
  const hint = '; sessions have it since ONNX Runtime 1.22';
  throw check.invalid('ERR_TYPE', name, 'array of at least one { name, isTensor, type, shape }', value, hint);
}

function readPort(value: Partial<OnnxMetadata> | null | undefined): Port | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, isTensor, type, shape } = value;
  if (typeof name !== 'string') return undefined;
  if (isTensor === false) return { name, type: undefined, shape: undefined };
  if (typeof type !== 'string' || !isArray(shape)) return undefined;
  return { name, type, shape: shape.length === 0 ? undefined : [...shape] };
}

/** The chosen output, as far as the model states its element type and shape. */
function checkOutput(value: unknown, outputs: readonly Port[]): Port {
  const names = outputs.map(({ name }) => name);
  if (value === undefined && outputs.length > 1) {
    const expected = `name of one output (${names.join(', ')})`;
    throw check.invalid('ERR_TYPE', 'options.output', expected, undefined);
  }
  const name = value === undefined ? names[0]! : check.oneOf('options.output', value, names);
  const output = outputs.find((port) => port.name === name)!;
  if (output.type !== 'float32' && output.type !== 'float16') {
    throw check.invalid(
      'ERR_DTYPE',
      `the element type of the output ${name}`,
      'float32 or float16',
      output.type,
      output.type === undefined ? '' : '; a Cast at the end of the model makes float32',
    );
  }
  return output;
}

const poolings: Record<Exclude<OnnxPool, 'none'>, Pooling> = {
  mean: 'mean',
  cls: 'first',
  first_token: 'first',
  last_token: 'last',
};
const poolNames = [...Object.keys(poolings), 'none'] as OnnxPool[];

function checkPool(value: unknown, { name, shape }: Port): Pooling {
  const pool = value === undefined ? 'none' : check.oneOf('options.pool', value, poolNames);
  const rank = shape?.length;
  const stated = `the output ${name} is [${shape?.join(', ')}]`;
  if (rank !== undefined && rank !== 2 && rank !== 3) {
    throw check.invalid('ERR_SHAPE', 'options.output', `output of two or three dimensions (${stated})`, name);
  }
  if (rank === 3 && pool === 'none') {
    const expected = `one of ${Object.keys(poolings).join(', ')} (${stated})`;
    throw check.invalid(value === undefined ? 'ERR_TYPE' : 'ERR_VALUE', 'options.pool', expected, value);
  }
  if (rank === 2 && pool !== 'none') {
    throw check.invalid('ERR_VALUE', 'options.pool', `nothing or none (${stated})`, pool);
  }
  return pool === 'none' ? undefined : poolings[pool];
}

const usualMask = 'attention_mask';

/** A mask that is not found would change features without a word, so `mean` and `last_token` ask for one. */
function checkMask(value: unknown, pool: Pooling, inputs: readonly Port[]): string | undefined {
  const where = 'options.mask';
  if (value !== undefined && value !== null && typeof value !== 'string') {
    throw check.invalid('ERR_TYPE', where, 'name of a feed, or null', value);
  }
  if (pool === undefined) {
    if (typeof value !== 'string') return undefined;
    throw check.invalid('ERR_VALUE', where, 'nothing, as no pool needs a mask,', value);
  }
  if (value !== undefined) return value ?? undefined;
  const names = inputs.map(({ name }) => name);
  if (names.includes(usualMask)) return usualMask;
  if (pool === 'first') return undefined;
  const hint = `; the inputs of the model are ${names.join(', ')}${valueHint(usualMask, names)}`;
  throw check.invalid('ERR_TYPE', where, 'name of the mask, or null where every token counts,', value, hint);
}
