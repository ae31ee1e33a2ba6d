/**
 * A step that must be refused before any work: its towers count what is asked of them. Computes nothing.
 */
import { chunkedStep, type Tower } from '../../lib/trainer';
import { expectError, type Thrown } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';

type Step = Parameters<typeof chunkedStep>[0];

/** Two rows of three features from one chunk, and a count of all calls. */
export function countingTower() {
  const seen = { calls: 0 };
  const encode = () => {
    seen.calls++;
    return { data: Float32Array.of(1, 2, 3, 4, 5, 7), shape: [2, 3] as const };
  };
  const backward = () => {
    seen.calls++;
  };
  const chunks = () => {
    seen.calls++;
    return ['chunk'];
  };
  const tower: Tower<unknown> = { encoder: { encode, backward }, chunks };
  return { tower, seen };
}

/**
 * `change` makes the bad options of good ones. The step rejects with this error and asks neither tower
 * for anything.
 */
export async function expectStepRefused(
  change: (good: { queries: Tower<unknown>; keys: Tower<unknown> }) => unknown,
  { code, message }: Omit<Thrown, 'type'>,
): Promise<void> {
  const [queries, keys] = [countingTower(), countingTower()];
  const options = change({ queries: queries.tower, keys: keys.tower }) as Step;
  const outcome = await chunkedStep(options).then(
    () => new Error('the step was accepted'),
    (error: unknown) => error,
  );
  expectError(outcome as Parameters<typeof expectError>[0], {
    type: classOf[code] ?? RangeError,
    code,
    message,
  });
  expect([queries.seen.calls, keys.seen.calls]).toEqual([0, 0]);
}
