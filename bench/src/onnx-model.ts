/**
 * Writes ONNX models: the few fields of onnx.proto (protocol buffers, wire types 0, 2 and 5) that a graph of
 * float32 matrices needs. A model is written here because a package that writes models would be one more dependency.
 */

export interface Node {
  operator: string;
  inputs: string[];
  output: string;
  /** Further outputs, of operators that have several. */
  moreOutputs?: string[];
  /** An integer becomes an INT attribute, a Real a FLOAT attribute. */
  attributes?: Record<string, number | Real>;
}

/** Marks an attribute as a float, since 1 may be either. */
export class Real {
  constructor(readonly value: number) {}
}

/** Axes and indices are integers, factors are floats. */
export interface Constant {
  shape: number[];
  values: BigInt64Array | Float32Array;
}

export interface Graph {
  /** Shapes of float32 tensors by name. */
  inputs: Record<string, number[]>;
  outputs: Record<string, number[]>;
  /** Those of the outputs that are int64. */
  integers?: string[];
  constants: Record<string, Constant>;
  nodes: Node[];
}

/** The operator set: 18 is the first where reductions read their axes from an input. */
export const operatorSet = 18;
/** Version of the file format that came with this operator set. */
const formatVersion = 8;
const elementType = { float: 1, int64: 7 };
const attributeType = { float: 1, int: 2 };

type Bytes = Buffer;

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const integer = (field: number, value: number): Bytes => Buffer.concat([varint(field * 8), varint(value)]);

/** A string or a nested message: its length, then its bytes. */
function nested(field: number, ...content: (string | Bytes)[]): Bytes {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function float(field: number, value: number): Bytes {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(field * 8 + 5), bytes]);
}

function attributeProto([name, value]: [string, number | Real]): Bytes {
  const [type, content] =
    value instanceof Real
      ? [attributeType.float, float(2, value.value)]
      : [attributeType.int, integer(3, value)];
  return nested(5, nested(1, name), content, integer(20, type));
}

function nodeProto({ operator, inputs, output, moreOutputs = [], attributes = {} }: Node): Bytes {
  const names = inputs.map((name) => nested(1, name));
  return nested(
    1,
    ...names,
    ...[output, ...moreOutputs].map((name) => nested(2, name)),
    nested(4, operator),
    ...Object.entries(attributes).map(attributeProto),
  );
}

function constantProto([name, { shape, values }]: [string, Constant]): Bytes {
  const type = values instanceof Float32Array ? elementType.float : elementType.int64;
  // The format wants little-endian bytes, which typed arrays have on every system that Node runs on but s390x.
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const dims = shape.map((size) => integer(1, size));
  return nested(5, ...dims, integer(2, type), nested(8, name), nested(9, data));
}

/** `field` 11 declares an input of the graph, 12 an output. */
function tensorProto(field: 11 | 12, [name, shape]: [string, number[]], type: number): Bytes {
  const dims = shape.map((size) => nested(1, integer(1, size)));
  const tensor = nested(1, integer(1, type), nested(2, ...dims));
  return nested(field, nested(1, name), nested(2, tensor));
}

/** The bytes of a model file, which ONNX Runtime also takes as they are. */
export function modelBytes({ inputs, outputs, integers = [], constants, nodes }: Graph): Uint8Array {
  const typeOf = (name: string) => (integers.includes(name) ? elementType.int64 : elementType.float);
  const graph = [
    ...nodes.map(nodeProto),
    nested(2, 'contrastive-loss'),
    ...Object.entries(constants).map(constantProto),
    ...Object.entries(inputs).map((entry) => tensorProto(11, entry, elementType.float)),
    ...Object.entries(outputs).map((entry) => tensorProto(12, entry, typeOf(entry[0]))),
  ];
  return Buffer.concat([
    integer(1, formatVersion),
    nested(2, 'infcl-bench'),
    nested(7, ...graph),
    nested(8, integer(2, operatorSet)),
  ]);
}
