/**
 * The self-test: computes the problems of self-test-cases.ts in every element type, and compares with stored values of
 * the float64 reference. docs/numerics.md says where the bounds come from. On the CPU it also searches.
 *
 * Refuses to stop at the first error: a report with all wrong cases says more about the cause.
 */

import { contrastiveLossAndGradSync } from '../loss/contrastive-loss';
import type { BackendOption, Compute } from '../loss/options';
import type { DType } from '../native/binding';
import type { SelfTestResult } from './report';
import {
  asDType,
  isForCpuAlone,
  makeSelfTestProblem,
  type SelfTestCase,
  selfTestCases,
} from './self-test-cases';
import { searchCases, searchFailures } from './self-test-search';
import { type StoredValues, type Summary, spread, summarise } from './self-test-summary';
import { selfTestValues } from './self-test-values';

export interface Target {
  backend: Exclude<BackendOption, 'auto'>;
  device: number;
}

export const nameOf = ({ backend, device }: Target) => (backend === 'cpu' ? 'cpu' : `${backend} ${device}`);

interface Variant {
  dtype: DType;
  compute: Compute;
}

const variants: readonly Variant[] = [
  { dtype: 'float32', compute: 'float32' },
  { dtype: 'float16', compute: 'float32' },
  { dtype: 'bfloat16', compute: 'float32' },
  { dtype: 'bfloat16', compute: 'bfloat16' },
];

interface Bounds {
  /** Relative to the loss, or to 1 where the loss is less. */
  loss: number;
  /** Of gradients, relative to their length. */
  gradient: number;
}

function boundsOf({ backend }: Target, { dtype, compute }: Variant): Bounds {
  if (backend === 'cpu') return { loss: 1e-6, gradient: compute === 'bfloat16' ? 1e-2 : 1e-5 };
  const gradient = compute === 'bfloat16' ? 1e-2 : dtype === 'float16' ? 2e-3 : 2e-4;
  return { loss: 1e-5, gradient };
}

/** Null where the gradient agrees. `!(a <= b)` is true for NaN as well. */
function gradientComplaint(name: string, ours: Float32Array, stored: Summary, bound: number): string | null {
  const { length, signedSums } = summarise(ours);
  const allowed = bound * stored.length;
  const isWrong =
    !(Math.abs(length - stored.length) <= allowed) ||
    signedSums.some((sum, at) => !(Math.abs(sum - stored.signedSums[at]!) <= spread * allowed));
  return isWrong ? `${name} has the length ${length} instead of ${stored.length}, or other elements` : null;
}

function numberComplaint(name: string, ours: number, stored: number, allowed: number): string | null {
  return Math.abs(ours - stored) <= allowed ? null : `${name} is ${ours} instead of ${stored}`;
}

function complaints(target: Target, variant: Variant, given: SelfTestCase, stored: StoredValues): string[] {
  const { queries, keys, options } = makeSelfTestProblem(given);
  const result = contrastiveLossAndGradSync(asDType(queries, variant.dtype), asDType(keys, variant.dtype), {
    ...options,
    ...target,
    compute: variant.compute,
  });
  const bounds = boundsOf(target, variant);
  const scalar = (value: number) => bounds.gradient * Math.max(1 / 32, Math.abs(value));
  return [
    numberComplaint('the loss', result.loss, stored.loss, bounds.loss * Math.max(1, stored.loss)),
    numberComplaint('the accuracy', result.accuracy, stored.accuracy, 1e-9),
    numberComplaint(
      'logitScaleGrad',
      result.logitScaleGrad,
      stored.logitScaleGrad,
      scalar(stored.logitScaleGrad),
    ),
    numberComplaint(
      'logitBiasGrad',
      result.logitBiasGrad,
      stored.logitBiasGrad,
      scalar(stored.logitBiasGrad),
    ),
    gradientComplaint('queryGrads', result.queryGrads, stored.queryGrads, bounds.gradient),
    gradientComplaint('keyGrads', result.keyGrads, stored.keyGrads, bounds.gradient),
  ].filter((text) => text !== null);
}

/**
 * All cases that one backend takes, on it or its device. Never rejects: an error of a call is a failure of its
 * case.
 */
export async function runSelfTest(
  target: Target,
  values: Record<string, StoredValues> = selfTestValues,
): Promise<SelfTestResult> {
  const begin = performance.now();
  const cases = selfTestCases.filter((given) => target.backend === 'cpu' || !isForCpuAlone(given));
  const runs = cases.flatMap((given) => variants.map((variant) => ({ given, variant })));
  const failures = runs.flatMap(({ given, variant }) => {
    const { dtype, compute } = variant;
    const name = `${given.name}, ${dtype}${compute === 'float32' ? '' : `, compute ${compute}`}`;
    try {
      const found = complaints(target, variant, given, values[given.name]!);
      return found.length > 0 ? [`${name}: ${found.join('; ')}`] : [];
    } catch (error) {
      return [`${name}: ${(error as Error).message}`];
    }
  });
  const searches = target.backend === 'cpu';
  if (searches) failures.push(...(await searchFailures()));
  const seconds = (performance.now() - begin) / 1e3;
  return { on: nameOf(target), cases: runs.length + (searches ? searchCases : 0), failures, seconds };
}
