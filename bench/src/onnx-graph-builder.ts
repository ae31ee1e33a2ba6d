/** Puts together a graph for onnx-model.ts: each call adds a node and returns the name of its output. */
import { type Constant, type Graph, modelBytes, type Node, Real } from './onnx-model.js';

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly constants: Record<string, Constant> = {};

  /** `output`: a name for it, where the graph hands it out. */
  add(
    operator: string,
    inputs: string[],
    attributes: Record<string, number | Real> = {},
    output = `t${this.nodes.length}`,
  ): string {
    this.nodes.push({ operator, inputs, attributes, output });
    return output;
  }

  /** A vector of axes, indices or sizes. */
  integers(...values: number[]): string {
    return this.constant([values.length], BigInt64Array.from(values, BigInt));
  }

  float(value: number): string {
    return this.constant([], Float32Array.of(value));
  }

  constant(shape: number[], values: BigInt64Array | Float32Array): string {
    const name = `c${Object.keys(this.constants).length}`;
    this.constants[name] = { shape, values };
    return name;
  }

  /** scale · left · rightᵀ, for rows of features. */
  logits(left: string, right: string, scale: number): string {
    return this.add('Gemm', [left, right], { transB: 1, alpha: new Real(scale) });
  }

  /** Keeps the reduced axis, so that the result is a row or a column of a matrix. */
  logSumExp(logits: string, axis: 0 | 1, output?: string): string {
    return this.add('ReduceLogSumExp', [logits, this.integers(axis)], { keepdims: 1 }, output);
  }

  /** The products of equal rows, a column. */
  pairDots(left: string, right: string, output?: string): string {
    return this.add('ReduceSum', [this.add('Mul', [left, right]), this.integers(1)], { keepdims: 1 }, output);
  }

  /** e^(logits - normalisers), where the normalisers are a row or a column. */
  softmaxOf(logits: string, normalisers: string): string {
    return this.add('Exp', [this.add('Sub', [logits, normalisers])]);
  }

  /** The k largest values of each row and their columns, which are int64, best first. */
  topK(matrix: string, k: number, outputs: { values: string; columns: string }): void {
    const inputs = [matrix, this.integers(k)];
    this.nodes.push({ operator: 'TopK', inputs, output: outputs.values, moreOutputs: [outputs.columns] });
  }

  /** The whole model, with the shapes of its inputs and outputs, and the names of the outputs that are int64. */
  model(inputs: Graph['inputs'], outputs: Graph['outputs'], integers: string[] = []): Uint8Array {
    return modelBytes({ inputs, outputs, integers, constants: this.constants, nodes: this.nodes });
  }
}
