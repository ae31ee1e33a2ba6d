/**
 * The same loss and gradients in blocks of queries, as a user writes them whose logits do not fit: two small graphs,
 * called once a block each. The first pass makes normalisers; the second one computes the logits again.
 */
import { GraphBuilder } from './onnx-graph-builder.js';
import { Real } from './onnx-model.js';
import { createSession, type Session, tensor } from './onnx-runtime.js';
import type { LossAndGrads } from './peer-rounds.js';
import type { Shape } from './yardsticks.js';

export interface BlocksRequest extends Shape {
  /** Divides `rows`. */
  blockRows: number;
  threads: number;
  memoryPatterns: boolean;
  scale: number;
}

interface Features {
  queries: Float32Array;
  keys: Float32Array;
}

/** Normalisers of the block's rows, of the columns within the block, and the dots of its pairs. */
function normalisersModel({ rows, dim, blockRows, scale }: BlocksRequest): Uint8Array {
  const graph = new GraphBuilder();
  const x = graph.logits('block', 'keys', scale);
  graph.logSumExp(x, 1, 'rowLse');
  graph.logSumExp(x, 0, 'columnLse');
  graph.pairDots('block', 'pairs', 'dots');
  const block = [blockRows, dim];
  const column = [blockRows, 1];
  return graph.model(
    { block, pairs: block, keys: [rows, dim] },
    { rowLse: column, columnLse: [1, rows], dots: column },
  );
}

/** Gradients of the block's queries, and the gradients of the keys with this block added. */
function gradientsModel({ rows, dim, blockRows, scale }: BlocksRequest): Uint8Array {
  const graph = new GraphBuilder();
  const alpha = new Real(scale / (2 * rows));
  const x = graph.logits('block', 'keys', scale);
  const ofRows = graph.add('Softmax', [x], { axis: 1 });
  const softmaxes = graph.add('Add', [ofRows, graph.softmaxOf(x, 'columnLse')]);
  const ofPairs = { alpha, beta: new Real(-scale / rows) };
  graph.add('Gemm', [softmaxes, 'keys', 'pairs'], ofPairs, 'queryGrads');
  const added = { transA: 1, alpha, beta: new Real(1) };
  graph.add('Gemm', [softmaxes, 'block', 'before'], added, 'keyGrads');
  const block = [blockRows, dim];
  const features = [rows, dim];
  return graph.model(
    { block, pairs: block, keys: features, columnLse: [1, rows], before: features },
    { queryGrads: block, keyGrads: features },
  );
}

/** Adds normalisers of one block to those of the blocks before it. */
function mergeNormalisers(sums: Float32Array, block: Float32Array): void {
  for (let at = 0; at < sums.length; at++) {
    const larger = Math.max(sums[at], block[at]);
    sums[at] = larger + Math.log(Math.exp(sums[at] - larger) + Math.exp(block[at] - larger));
  }
}

/** Both passes over arrays and tensors that are made once. */
class BlockLoop {
  private readonly rowLse: Float32Array;
  private readonly columnLse: Float32Array;
  private readonly blockColumnLse: Float32Array;
  private readonly dots: Float32Array;
  private readonly queryGrads: Float32Array;
  /** A block reads one of them and writes the other. */
  private readonly keyGrads: [Float32Array, Float32Array];

  constructor(
    private readonly request: BlocksRequest,
    private readonly features: Features,
    private readonly sessions: { normalisers: Session; gradients: Session },
  ) {
    const { rows, dim } = request;
    const matrix = () => new Float32Array(rows * dim);
    const vector = () => new Float32Array(rows);
    [this.rowLse, this.columnLse, this.blockColumnLse, this.dots] = [vector(), vector(), vector(), vector()];
    [this.queryGrads, this.keyGrads] = [matrix(), [matrix(), matrix()]];
  }

  async run(): Promise<LossAndGrads> {
    const { rows, blockRows, scale } = this.request;
    const { queries } = this.features;
    this.columnLse.fill(Number.NEGATIVE_INFINITY);
    for (let start = 0; start < rows; start += blockRows) await this.normalise(start);
    let loss = 0;
    for (let row = 0; row < rows; row++)
      loss += (this.rowLse[row] + this.columnLse[row]) / 2 - scale * this.dots[row];
    const [first] = this.keyGrads;
    for (let at = 0; at < first.length; at++) first[at] = (-scale / rows) * queries[at];
    for (let start = 0; start < rows; start += blockRows) await this.differentiate(start);
    const keyGrads = this.keyGrads[(rows / blockRows) % 2];
    return { loss: loss / rows, queryGrads: this.queryGrads, keyGrads };
  }

  private async normalise(start: number): Promise<void> {
    const { rows } = this.request;
    await this.sessions.normalisers.run(this.feedsOf(start), {
      rowLse: this.rowsOf(this.rowLse, start, 1),
      columnLse: tensor(this.blockColumnLse, [1, rows]),
      dots: this.rowsOf(this.dots, start, 1),
    });
    mergeNormalisers(this.columnLse, this.blockColumnLse);
  }

  private async differentiate(start: number): Promise<void> {
    const { rows, dim, blockRows } = this.request;
    const block = start / blockRows;
    const keyGrads = (index: number) => tensor(this.keyGrads[index % 2], [rows, dim]);
    const feeds = { columnLse: tensor(this.columnLse, [1, rows]), before: keyGrads(block) };
    await this.sessions.gradients.run(
      { ...this.feedsOf(start), ...feeds },
      { queryGrads: this.rowsOf(this.queryGrads, start, dim), keyGrads: keyGrads(block + 1) },
    );
  }

  private feedsOf(start: number) {
    const { rows, dim } = this.request;
    const { queries, keys } = this.features;
    return {
      block: this.rowsOf(queries, start, dim),
      pairs: this.rowsOf(keys, start, dim),
      keys: tensor(keys, [rows, dim]),
    };
  }

  /** The rows of a block, without a copy. */
  private rowsOf(data: Float32Array, start: number, width: number) {
    const { blockRows } = this.request;
    return tensor(data.subarray(start * width, (start + blockRows) * width), [blockRows, width]);
  }
}

export async function blocksCall(
  request: BlocksRequest,
  features: Features,
): Promise<() => Promise<LossAndGrads>> {
  if (request.rows % request.blockRows !== 0)
    throw new RangeError(
      `Expected blockRows to divide ${request.rows} rows but received ${request.blockRows}`,
    );
  const loop = new BlockLoop(request, features, {
    normalisers: await createSession(normalisersModel(request), request),
    gradients: await createSession(gradientsModel(request), request),
  });
  return () => loop.run();
}
