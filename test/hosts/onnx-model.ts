/**
 * Writes ONNX models, so that tests need neither files nor a converter. A model is nodes, constants, inputs and
 * outputs; dimensions may have names. The field numbers below are those of onnx.proto of the ONNX project.
 *
 * Refuses nothing: ONNX Runtime checks the model when a session is made.
 */

/** Element types by their numbers in `TensorProto.DataType`. */
const typeNumbers = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

export type ElementType = keyof typeof typeNumbers;

export type Attribute =
  | { int: number }
  | { float: number }
  | { text: string }
  | { ints: readonly number[] }
  | { tensor: Constant };

export interface Node {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, Attribute>>;
}

/** A tensor that is part of the model, such as weights. */
export interface Constant {
  type: ElementType;
  dims: readonly number[];
  data: ArrayBufferView;
}

/** An input or output of the model. A dimension with a name has another size on each run. */
export interface Value {
  type: ElementType;
  /** Undefined where the model does not say how many dimensions there are. */
  dims?: readonly (number | string)[];
}

export interface Model {
  nodes: readonly Node[];
  constants?: Readonly<Record<string, Constant>>;
  inputs: Readonly<Record<string, Value>>;
  outputs: Readonly<Record<string, Value>>;
  /** Version of the operators. */
  opset?: number;
}

/** The bytes of a model, as a file contains them or as `InferenceSession.create` takes them. */
export function onnxModel({ nodes, constants = {}, inputs, outputs, opset = 18 }: Model): Uint8Array {
  const graph = [
    ...nodes.map((node) => message(1, ...nodeFields(node))),
    text(2, 'test'),
    ...Object.entries(constants).map(([name, constant]) => message(5, ...constantFields(constant, name))),
    ...Object.entries(inputs).map(([name, value]) => message(11, ...valueFields(name, value))),
    ...Object.entries(outputs).map(([name, value]) => message(12, ...valueFields(name, value))),
  ];
  const irVersion = 8;
  return Buffer.concat([integer(1, irVersion), message(7, ...graph), message(8, integer(2, opset))]);
}

/** A float32 constant. */
export function floats(data: Float32Array, ...dims: number[]): Constant {
  return { type: 'float32', dims, data };
}

/** An int64 constant of one dimension, such as axes. */
export function int64s(...values: number[]): Constant {
  return { type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

function nodeFields({ op, inputs, outputs, attributes = {} }: Node): Buffer[] {
  return [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      message(5, text(1, name), ...attributeFields(value)),
    ),
  ];
}

/** The value of an attribute, and the number of its kind in field 20. */
function attributeFields(value: Attribute): Buffer[] {
  if ('float' in value) return [float(2, value.float), integer(20, 1)];
  if ('int' in value) return [integer(3, value.int), integer(20, 2)];
  if ('text' in value) return [text(4, value.text), integer(20, 3)];
  if ('tensor' in value) return [message(5, ...constantFields(value.tensor)), integer(20, 4)];
  return [...value.ints.map((item) => integer(8, item)), integer(20, 7)];
}

function constantFields({ type, dims, data }: Constant, name?: string): Buffer[] {
  const raw = Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return [
    ...dims.map((size) => integer(1, size)),
    integer(2, typeNumbers[type]),
    ...(name === undefined ? [] : [text(8, name)]),
    bytes(9, raw),
  ];
}

function valueFields(name: string, { type, dims }: Value): Buffer[] {
  const dimension = (size: number | string) =>
    message(1, typeof size === 'number' ? integer(1, size) : text(2, size));
  const shape = dims === undefined ? [] : [message(2, ...dims.map(dimension))];
  return [text(1, name), message(2, message(1, integer(1, typeNumbers[type]), ...shape))];
}

// Fields of protobuf: a key (field number and form), then the value.

const forms = { varint: 0, bytes: 2, fixed32: 5 };

const key = (field: number, form: number) => varint(field * 8 + form);
const integer = (field: number, value: number) => Buffer.concat([key(field, forms.varint), varint(value)]);
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const message = (field: number, ...fields: Buffer[]) => bytes(field, Buffer.concat(fields));

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([key(field, forms.bytes), varint(value.length), value]);
}

function float(field: number, value: number): Buffer {
  const little = Buffer.alloc(4);
  little.writeFloatLE(value);
  return Buffer.concat([key(field, forms.fixed32), little]);
}

/** Seven bits a byte, lowest first. Negative numbers are 64 bits of two's complement. */
function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const found: number[] = [];
  do {
    const more = rest > 127n;
    found.push(Number(rest & 127n) + (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(found);
}
