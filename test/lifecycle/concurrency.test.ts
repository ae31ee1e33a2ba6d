/**
 * Many calls at once and calls that are stopped. What must hold: answers in the order of the questions, equal to those
 * of blocking calls; an aborted call rejects with its reason, writes nothing afterwards, nothing beside its arrays at
 * any time, and harms no later call.
 */
import { contrastiveLossAndGrad, contrastiveLossAndGradSync, type Progress, plan } from '../../lib';
import { digest, features, problem, seeded, solve } from './problems';
import { rounds } from './run-child';

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it('1,000 concurrent small calls are answered in order, each as if it were alone', async () => {
  const count = rounds(1000);
  const settled: number[] = [];
  const digests = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const { queries, keys, options } = problem(i, 24);
      const result = await contrastiveLossAndGrad(queries, keys, options);
      settled.push(i);
      return digest(result);
    }),
  );
  expect(settled).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(digests).toEqual(Array.from({ length: count }, (_, i) => solve(i, 24)));
});

it('plan() beside a running call waits for nothing, and an abort is heard in time', async () => {
  const [rows, dim] = [16_384, 256];
  const { estimatedSeconds } = plan({ queries: rows, dim });
  const [queries, keys] = [features(rows, dim, 1), features(rows, dim, 2)];
  const controller = new AbortController();
  const reason = new Error('enough');
  let running = false;
  const onProgress = () => {
    running = true;
  };
  const call = contrastiveLossAndGrad(queries, keys, { signal: controller.signal, onProgress });
  const outcome = call.catch((error: unknown) => error);
  while (!running) await sleep(5);
  const began = performance.now();
  for (let i = 0; i < 20; i++) expect(plan({ queries: 64 + i, dim: 8 }).flops).toBeGreaterThan(0);
  const planned = performance.now() - began;
  controller.abort(reason);
  expect(await outcome).toBe(reason); // and not a result, for lack of time to hear of the abort
  expect(planned).toBeLessThan((estimatedSeconds * 1000) / 4);
});

describe('abort', () => {
  const rows = 6000;
  const dim = 64;
  const queries = features(rows, dim, 1);
  const keys = features(rows, dim, 2);
  const untouched = 12345;
  const guard = 64;

  /** An output with a margin on both sides that nobody may write to. */
  function guardedOutput() {
    const whole = new Float32Array(rows * dim + 2 * guard).fill(untouched);
    return { whole, array: whole.subarray(guard, guard + rows * dim) };
  }
  function expectGuarded(whole: Float32Array) {
    const margins = [...whole.subarray(0, guard), ...whole.subarray(-guard)];
    expect(margins).toEqual(Array(2 * guard).fill(untouched));
  }

  it('at random moments: rejects with the reason, then leaves all memory alone', async () => {
    const reference = contrastiveLossAndGradSync(queries, keys);
    const milliseconds = reference.stats.seconds * 1e3;
    const random = seeded(5);
    let aborted = 0;
    const count = rounds(40);
    for (let round = 0; round < count; round++) {
      const controller = new AbortController();
      const reason = { round };
      const outs = [guardedOutput(), guardedOutput()] as const;
      const call = contrastiveLossAndGrad(queries, keys, {
        signal: controller.signal,
        out: { queryGrads: outs[0].array, keyGrads: outs[1].array },
      });
      const outcome = call.then(digest, (error: unknown) => error);
      await sleep(random() * milliseconds);
      controller.abort(reason);
      const answer = await outcome;
      if (answer === reason) {
        aborted++;
        const left = outs.map(({ whole }) => whole.slice());
        await sleep(5);
        outs.forEach(({ whole }, i) => {
          expect(Buffer.compare(Buffer.from(whole.buffer), Buffer.from(left[i]!.buffer))).toBe(0);
        });
      } else expect(answer).toBe(digest(reference)); // it was done before
      for (const { whole } of outs) expectGuarded(whole);
    }
    expect(aborted).toBeGreaterThan(count / 4);
    expect(digest(await contrastiveLossAndGrad(queries, keys))).toBe(digest(reference));
  });

  it('is obeyed while classes are counted, whatever their numbers', async () => {
    const count = 40_000;
    const one = features(count, 2, 7);
    for (const step of [1, 42_043, 62_233]) {
      const controller = new AbortController();
      const reason = new Error(`multiples of ${step}`);
      let asked = 0;
      const labels = Int32Array.from({ length: count }, (_, i) => (i * step) | 0);
      const call = contrastiveLossAndGrad(one, null, {
        objective: 'supcon',
        labels,
        signal: controller.signal,
      });
      setTimeout(() => {
        asked = performance.now();
        controller.abort(reason);
      }, 50);
      await expect(call).rejects.toBe(reason);
      expect(performance.now() - asked).toBeLessThan(1000); // a hash table of these takes 7 seconds and more
    }
  });

  it('of a waiting call takes it out of the queue and leaves the others in theirs', async () => {
    const controllers = Array.from({ length: 30 }, () => new AbortController());
    const outcomes = controllers.map(({ signal }, i) => {
      const { queries, keys, options } = problem(i);
      return contrastiveLossAndGrad(queries, keys, { ...options, signal }).then(digest, () => 'aborted');
    });
    for (const [i, controller] of controllers.entries()) if (i % 3 === 1) controller.abort();
    expect(await Promise.all(outcomes)).toEqual(
      controllers.map((_, i) => (i % 3 === 1 ? 'aborted' : solve(i))),
    );
  });

  it('is obeyed long before the call would end, in both passes of B = 65,536, D = 64', async () => {
    const wholeCall = plan({ queries: 65_536, dim: 64 }).estimatedSeconds * 1000;
    const [large, others] = [features(65_536, 64, 3), features(65_536, 64, 4)];
    const latencies = { forward: [] as number[], backward: [] as number[] };
    const random = seeded(9);
    for (const phase of ['forward', 'backward'] as const) {
      for (let round = 0; round < rounds(phase === 'forward' ? 8 : 1); round++) {
        const controller = new AbortController();
        const reason = new Error(`${phase} ${round}`);
        let asked = 0;
        const stop = () => {
          asked ||= performance.now();
          controller.abort(reason);
        };
        const onProgress = (done: Progress) => {
          if (done.phase === phase && asked === 0) setTimeout(stop, random() * 150);
        };
        const call = contrastiveLossAndGrad(large, others, { signal: controller.signal, onProgress });
        await expect(call).rejects.toBe(reason);
        latencies[phase].push(performance.now() - asked);
      }
    }
    for (const list of Object.values(latencies)) {
      list.sort((a, b) => a - b);
      expect(list[Math.floor(list.length / 2)]).toBeLessThan(wholeCall / 10);
    }
    if (process.env.INFCL_LIFECYCLE_FACTOR) console.log('abort latency in ms', latencies);
  });
});
