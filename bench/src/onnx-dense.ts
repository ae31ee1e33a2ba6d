/**
 * Symmetric contrastive loss and both gradients as one ONNX graph, which holds the whole matrix of logits. The forms
 * are those that a user might write: `softmax` adds the two softmaxes of the logits, `log-sum-exp` makes the same sum
 * from normalisers, as a derivation does.
 */
import { GraphBuilder } from './onnx-graph-builder.js';
import { Real } from './onnx-model.js';
import type { Shape } from './yardsticks.js';

interface Terms extends Shape {
  graph: GraphBuilder;
  scale: number;
}

/**
 * The gradient of one side: softmaxes · other side, less the other side's own row, which the product adds as its
 * third operand.
 */
function gradient({ graph, rows, scale }: Terms, softmaxes: string, side: 'query' | 'key'): void {
  const other = side === 'query' ? 'keys' : 'queries';
  const attributes = {
    transA: side === 'key' ? 1 : 0,
    alpha: new Real(scale / (2 * rows)),
    beta: new Real(-scale / rows),
  };
  graph.add('Gemm', [softmaxes, other, other], attributes, `${side}Grads`);
}

/** Returns the sum of both softmaxes; the loss comes from their diagonals. */
function softmaxForm({ graph, rows, scale }: Terms): string {
  const x = graph.logits('queries', 'keys', scale);
  const ofRows = graph.add('Softmax', [x], { axis: 1 });
  const ofColumns = graph.add('Softmax', [x], { axis: 0 });
  const indices = BigInt64Array.from({ length: 2 * rows }, (_, at) => BigInt(at >> 1));
  const diagonal = graph.constant([rows, 2], indices);
  const logDiagonal = (softmax: string) => graph.add('Log', [graph.add('GatherND', [softmax, diagonal])]);
  const logs = graph.add('Mean', [logDiagonal(ofRows), logDiagonal(ofColumns)]);
  graph.add('Neg', [graph.add('ReduceMean', [logs], { keepdims: 0 })], {}, 'loss');
  return graph.add('Add', [ofRows, ofColumns]);
}

/** Returns the same sum; the loss is the mean of normalisers less the mean logit of the pairs. */
function logSumExpForm({ graph, rows, scale }: Terms): string {
  const x = graph.logits('queries', 'keys', scale);
  const rowLse = graph.logSumExp(x, 1);
  const columnLse = graph.logSumExp(x, 0);
  const mean = (name: string) => graph.add('ReduceMean', [name], { keepdims: 0 });
  const asColumn = graph.add('Reshape', [columnLse, graph.integers(rows, 1)]);
  const positives = graph.add('Mul', [mean(graph.pairDots('queries', 'keys')), graph.float(scale)]);
  graph.add('Sub', [mean(graph.add('Mean', [rowLse, asColumn])), positives], {}, 'loss');
  return graph.add('Add', [graph.softmaxOf(x, rowLse), graph.softmaxOf(x, columnLse)]);
}

const forms = { softmax: softmaxForm, 'log-sum-exp': logSumExpForm };
export type DenseForm = keyof typeof forms;

/**
 * A model with inputs `queries` and `keys`, [rows, dim], and outputs `loss`, a scalar, `queryGrads` and `keyGrads`,
 * [rows, dim]; all float32.
 */
export function denseModel({ rows, dim }: Shape, form: DenseForm, scale: number): Uint8Array {
  const graph = new GraphBuilder();
  const terms = { graph, rows, dim, scale };
  const softmaxes = forms[form](terms);
  gradient(terms, softmaxes, 'query');
  gradient(terms, softmaxes, 'key');
  const features = [rows, dim];
  return graph.model(
    { queries: features, keys: features },
    { loss: [], queryGrads: features, keyGrads: features },
  );
}
