/**
 * AdamW (arXiv 1711.05101) on flat float32 arrays, and the learning-rate schedule. Refuses to own parameters: it
 * changes the arrays it is given, and its own state can be read and put back for checkpoints.
 */

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

export class AdamW {
  /** Running means of the gradient and of its square, one pair per parameter array. */
  readonly means: Float32Array[];
  readonly squares: Float32Array[];
  steps = 0;

  constructor(
    private readonly parameters: Float32Array[],
    private readonly options: AdamWOptions,
  ) {
    this.means = parameters.map((array) => new Float32Array(array.length));
    this.squares = parameters.map((array) => new Float32Array(array.length));
  }

  /**
   * m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  p -= rate · (m̂ / (sqrt(v̂) + ε) + decay · p)
   * @param gradients One array per parameter array, of the same length.
   * @param rates Learning rate of each parameter array.
   */
  step(gradients: readonly Float32Array[], rates: readonly number[]): void {
    this.steps++;
    const { beta1, beta2 } = this.options;
    const meanCorrection = 1 / (1 - beta1 ** this.steps);
    const squareCorrection = 1 / (1 - beta2 ** this.steps);
    this.parameters.forEach((parameter, i) => {
      this.update(i, parameter, gradients[i]!, { rate: rates[i]!, meanCorrection, squareCorrection });
    });
  }

  private update(
    index: number,
    parameter: Float32Array,
    gradient: Float32Array,
    scale: { rate: number; meanCorrection: number; squareCorrection: number },
  ): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    const { rate, meanCorrection, squareCorrection } = scale;
    const mean = this.means[index]!;
    const square = this.squares[index]!;
    // looking a global up a million times a step is slow where globals are virtual, as under Jest
    const { sqrt } = Math;
    for (let i = 0; i < parameter.length; i++) {
      const g = gradient[i]!;
      const m = beta1 * mean[i]! + (1 - beta1) * g;
      const v = beta2 * square[i]! + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      const p = parameter[i]!;
      const direction = (m * meanCorrection) / (sqrt(v * squareCorrection) + epsilon);
      parameter[i] = p - rate * (direction + weightDecay * p);
    }
  }
}

/** Share of the peak rate at a step counted from 0: linear warm-up over `warmUp` steps, then a cosine to 0. */
export function learningRateFactor(step: number, steps: number, warmUp: number): number {
  if (step < warmUp) return (step + 1) / warmUp;
  const progress = (step - warmUp) / Math.max(1, steps - warmUp);
  return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}
