/**
 * L-BFGS for a smooth function whose values come from float32 arithmetic (Nocedal & Wright 2006, algorithm
 * 7.4). Steps are found by bisection for the weak Wolfe conditions (Lewis & Overton 2013). Near the minimum,
 * where rounding hides the decrease, the approximate condition on the slope decides (Hager & Zhang 2005).
 *
 * Refuses constraints, and functions that are not smooth.
 */

export interface Evaluation {
  value: number;
  gradient: Float64Array;
}

export interface Problem {
  start: Float64Array;
  evaluate: (at: Float64Array) => Promise<Evaluation>;
  /** Stops where no element of the gradient is larger. */
  tolerance: number;
  maxIterations: number;
}

export interface Minimum extends Evaluation {
  at: Float64Array;
  iterations: number;
  evaluations: number;
  /** Whether the gradient is within the tolerance. */
  converged: boolean;
}

interface Correction {
  step: Float64Array;
  change: Float64Array;
  /** step · change, positive. */
  curvature: number;
}

const corrections = 10;
/** A step needs this fraction of the decrease that the slope promises. */
const decrease = 1e-4;
/** A step needs a slope of at most this fraction of the first one. */
const flattening = 0.9;
/** The approximate condition: its slope, and by how much rounding may raise the value. */
const approximate = { slope: 2 * 0.1 - 1, rise: 1e-6 };
/** More bisections change no bit. */
const mostTrials = 40;

export const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

const isFlat = ({ gradient }: Evaluation, tolerance: number) =>
  gradient.every((g) => Math.abs(g) <= tolerance);

export async function minimise(problem: Problem): Promise<Minimum> {
  const { tolerance, maxIterations } = problem;
  const history: Correction[] = [];
  let at = problem.start;
  let here = await problem.evaluate(at);
  let [iterations, evaluations] = [0, 1];
  while (!isFlat(here, tolerance) && iterations < maxIterations) {
    const direction = descend(here.gradient, history);
    const found = await search(problem, { at, here, direction, isFirst: history.length === 0 });
    evaluations += found.trials;
    if (found.next === null) break;
    remember(history, { at, here }, { at: found.at, here: found.next });
    at = found.at;
    here = found.next;
    iterations++;
  }
  return { ...here, at, iterations, evaluations, converged: isFlat(here, tolerance) };
}

/** −H · gradient by the two loops over the corrections. */
function descend(gradient: Float64Array, history: Correction[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const add = (factor: number, vector: Float64Array) => {
    for (let i = 0; i < direction.length; i++) direction[i]! += factor * vector[i]!;
  };
  const factors = history.map(() => 0);
  for (let i = history.length - 1; i >= 0; i--) {
    const { step, change, curvature } = history[i]!;
    factors[i] = dot(step, direction) / curvature;
    add(-factors[i]!, change);
  }
  const last = history.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  history.forEach(({ step, change, curvature }, i) => {
    add(factors[i]! - dot(change, direction) / curvature, step);
  });
  return direction;
}

interface Place {
  at: Float64Array;
  here: Evaluation;
}

function remember(history: Correction[], from: Place, to: Place): void {
  const step = to.at.map((value, i) => value - from.at[i]!);
  const change = to.here.gradient.map((value, i) => value - from.here.gradient[i]!);
  const curvature = dot(step, change);
  if (!(curvature > 0)) return;
  history.push({ step, change, curvature });
  if (history.length > corrections) history.shift();
}

interface Line extends Place {
  direction: Float64Array;
  /** Nothing is known of the curvature yet. */
  isFirst: boolean;
}

/** A step along the line that fulfils the conditions. `next` is null where there is none. */
async function search(
  { evaluate }: Problem,
  { at, here, direction, isFirst }: Line,
): Promise<{ at: Float64Array; next: Evaluation | null; trials: number }> {
  const slope = dot(here.gradient, direction);
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let length = isFirst ? 1 / Math.max(1, Math.sqrt(dot(direction, direction))) : 1;
  for (let trials = 1; trials <= mostTrials; trials++) {
    const there = at.map((value, i) => value + length * direction[i]!);
    const next = await evaluate(there);
    const nextSlope = dot(next.gradient, direction);
    const falls = next.value <= here.value + decrease * length * slope;
    const staysNear =
      next.value <= here.value + approximate.rise * Math.abs(here.value) &&
      nextSlope <= approximate.slope * slope;
    if (!falls && !staysNear) high = length;
    else if (nextSlope < flattening * slope) low = length;
    else return { at: there, next, trials };
    length = Number.isFinite(high) ? (low + high) / 2 : 2 * low;
  }
  return { at, next: null, trials: mostTrials };
}
