/**
 * The linear probe: a logistic regression on frozen features says how much of the classes a plane can read
 * from them. Loss and gradient come from the engine: classes are keys, `labels` the positives, and a column
 * of ones carries the bias.
 *
 * Refuses to choose the regularisation, on which the result depends.
 */

import { codedError } from '../errors';
import { contrastiveLossAndGrad } from '../loss/contrastive-loss';
import { allocate } from '../matrix/allocate';
import type { ReadableFeatures } from '../matrix/features';
import { type Rows, readRows, requireEqualDim } from '../matrix/read-rows';
import * as check from '../validate';
import { type ClassMetrics, classMetrics, readLabels } from './class-metrics';
import { type Minimum, minimise } from './minimise';
import { type EngineOptions, readOptionsOf } from './read-options';

export interface LinearProbeOptions extends EngineOptions {
  /**
   * Weight λ of the penalty λ / 2 · ‖W‖², positive. Required. The C of scikit-learn's LogisticRegression is
   * 1 / (λ · M).
   */
  l2: number;
  /** Steps at most, default 1,000. */
  maxIterations?: number | undefined;
  /** Training ends where no element of the gradient is larger. Default 1e-5. */
  tolerance?: number | undefined;
}

/** Metrics are those on the test rows. */
export interface LinearProbeResult extends ClassMetrics {
  /** The training objective at the end: mean cross-entropy + λ / 2 · ‖W‖². */
  loss: number;
  /** [classes × D], row-major. */
  weights: Float32Array;
  /** [classes], without a penalty. */
  bias: Float32Array;
  iterations: number;
  /** How often loss and gradient were computed. */
  evaluations: number;
  /**
   * Whether the gradient came within `tolerance`. Otherwise `maxIterations` or rounding ended the training.
   */
  converged: boolean;
}

/**
 * Trains a linear classifier on frozen features and judges it on others. Minimises mean cross-entropy + λ / 2
 * · ‖W‖² by L-BFGS from zero weights. The number of classes is the largest of `labels` + 1. Training runs on
 * the CPU backend in float32.
 *
 * @param train [M × D]. Centred features of similar size in all columns need fewer steps.
 * @param labels [M], the class of each row of `train`, from 0 without gaps: each class has a row. At least
 *   two classes.
 * @param test [N × D].
 * @param testLabels [N], the classes of `test`, all of them among those of `labels`.
 *
 * Source: the linear probe of CLIP (Radford et al. 2021, section 3.2), by another L-BFGS.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER,
 * ERR_DETACHED or ERR_OUT_OF_MEMORY, and with the errors of `contrastiveLossAndGrad`.
 */
export async function linearProbe(
  train: ReadableFeatures,
  labels: Int32Array,
  test: ReadableFeatures,
  testLabels: Int32Array,
  options: LinearProbeOptions,
): Promise<LinearProbeResult> {
  const settings = readSettings(options);
  const [trainRows, testRows] = [readRows('train', train), readRows('test', test)];
  requireEqualDim('train', trainRows, 'test', testRows);
  // copies: the caller's arrays may change while the training waits
  const trainLabels = readLabels('labels', labels, trainRows.rows, Number.POSITIVE_INFINITY).slice();
  const classes = countClasses(trainLabels);
  const judged = readLabels('testLabels', testLabels, testRows.rows, classes).slice();
  const { at, value, iterations, evaluations, converged } = await fit(
    trainRows,
    trainLabels,
    classes,
    settings,
  );
  const { dim } = trainRows;
  const { weights, bias } = split(at, classes, dim);
  const classifier = {
    weights: { name: 'weights', data: weights, rows: classes, dim, rowStride: dim },
    bias,
  };
  const metrics = await classMetrics(testRows, classifier, judged, settings.signal);
  return { ...metrics, loss: value, weights, bias, iterations, evaluations, converged };
}

type Settings = EngineOptions & Record<'l2' | 'maxIterations' | 'tolerance', number>;

function readSettings(options: unknown): Settings {
  const given = readOptionsOf(options, ['l2', 'maxIterations', 'tolerance', 'threads', 'signal']);
  const { l2, maxIterations, tolerance, threads, signal } = given;
  if (l2 === undefined) {
    const hint = "; 1 / (C * rows of train) for the C of scikit-learn's LogisticRegression";
    throw check.invalid('ERR_TYPE', 'options.l2', 'positive number', l2, hint);
  }
  return {
    l2: check.positiveFloat('options.l2', l2, 1e30),
    maxIterations:
      maxIterations === undefined ? 1000 : check.positiveInteger('options.maxIterations', maxIterations),
    tolerance: tolerance === undefined ? 1e-5 : check.positiveFloat('options.tolerance', tolerance, 1),
    threads,
    signal,
  };
}

/** Throws ERR_VALUE for a single class, and for a class without a row. */
function countClasses(labels: Int32Array): number {
  const present = new Set(labels);
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  for (let each = 0; each < Math.min(classes, labels.length + 1); each++) {
    if (present.has(each)) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected a row of each class from 0 to ${classes - 1} in labels but received none of class ${each}; number the classes without gaps`,
    );
  }
  if (classes < 2) throw codedError('ERR_VALUE', 'Expected at least two classes in labels but received one');
  return classes;
}

/** Parameters are [classes × (dim + 1)]: the bias is the last column. */
function fit(train: Rows, labels: Int32Array, classes: number, settings: Settings): Promise<Minimum> {
  const { l2, tolerance, maxIterations, threads, signal } = settings;
  const width = train.dim + 1;
  const queries = { data: withOnes(train), shape: [train.rows, width] };
  const parameters = new Float32Array(classes * width);
  const keyGrads = new Float32Array(classes * width);
  const isBias = (i: number) => i % width === width - 1;
  return minimise({
    start: new Float64Array(classes * width),
    tolerance,
    maxIterations,
    async evaluate(at) {
      parameters.set(at);
      const { loss } = await contrastiveLossAndGrad(
        queries,
        { data: parameters, shape: [classes, width] },
        {
          objective: 'infonce',
          labels,
          logitScale: 1,
          grad: { queries: false },
          out: { keyGrads },
          backend: 'cpu',
          threads,
          signal,
        },
      );
      let squares = 0;
      const gradient = Float64Array.from(keyGrads, (g, i) => {
        if (isBias(i)) return g;
        squares += at[i]! ** 2;
        return g + l2 * at[i]!;
      });
      return { value: loss + (l2 / 2) * squares, gradient };
    },
  });
}

function withOnes({ data, rows, dim, rowStride }: Rows): Float32Array {
  const length = rows * (dim + 1);
  const into = allocate('a copy of train', length * 4, () => new Float32Array(length));
  for (let row = 0; row < rows; row++) {
    into.set(data.subarray(row * rowStride, row * rowStride + dim), row * (dim + 1));
    into[row * (dim + 1) + dim] = 1;
  }
  return into;
}

function split(parameters: Float64Array, classes: number, dim: number) {
  const [weights, bias] = [new Float32Array(classes * dim), new Float32Array(classes)];
  for (let each = 0; each < classes; each++) {
    const begin = each * (dim + 1);
    weights.set(parameters.subarray(begin, begin + dim), each * dim);
    bias[each] = parameters[begin + dim]!;
  }
  return { weights, bias };
}
