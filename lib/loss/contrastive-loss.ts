/**
 * The loss and its gradients, each as a promise and as a blocking call. Each function checks its arguments,
 * allocates outputs, makes one native call, and returns the results.
 *
 * Refuses arithmetic of its own. Asynchronous calls wait in the queues of `native-calls.ts`, so that each
 * backend runs one call at a time.
 */

import { requireBackend } from '../backend';
import { callNative } from '../errors';
import { groupAmong, refuseInGroup } from '../group/process-group';
import type { Gradient } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import type { ContrastiveResponse, NativeBinding } from '../native/binding';
import { loadBinding } from '../native/load';
import { throwIfAborted } from '../on-abort';
import { buffersOf, extentsOf } from './call-memory';
import { disposeAll, retainMemory } from './device-call';
import type { LossAndGradResult, LossFunctions, LossResult } from './loss-functions';
import { NativeCalls, nativeCalls } from './native-calls';
import type { AnyContrastiveOptions } from './options';
import { reportBlocking } from './progress';
import { type ResolvedCall, resolveCall } from './resolve';

export type * from './loss-functions';
export type { DirectionName, Objective, Progress } from './options';
export type { ContrastiveOptions } from './typed-options';

/** The four functions on one native binding, which loads only after the arguments have been checked. */
export function createLossFunctions(
  getBinding: () => NativeBinding,
  calls = new NativeCalls(),
): LossFunctions {
  const prepare = (
    queries: Features,
    keys: Features | null,
    options?: AnyContrastiveOptions,
    gradient?: boolean,
    takesGroup?: boolean,
  ) => {
    const call = resolveCall(queries, keys, options, gradient, takesGroup);
    try {
      const binding = getBinding();
      const device = requireBackend(call.request, binding);
      const opened = call.files.open(binding);
      const request = { ...call.request, ...opened.outputs };
      const { read, written } = call.memory;
      const memory = extentsOf({ read, written: [...written, ...opened.memory] }, binding);
      return { call: { ...call, request }, binding, device, memory };
    } catch (error) {
      throw abandon(call, error);
    }
  };

  type Args = [queries: Features, keys: Features | null, options?: AnyContrastiveOptions, gradient?: boolean];

  async function run(...args: Args) {
    const group = groupAmong(args[2]);
    let isEntered = false;
    try {
      return await runPrepared(prepare(args[0], args[1], args[2], args[3], true), () => {
        isEntered = true;
      });
    } catch (error) {
      if (group && !isEntered) refuseInGroup(group, error);
      throw error;
    }
  }

  async function runPrepared(
    { call, binding, device, memory }: ReturnType<typeof prepare>,
    enter: () => void,
  ) {
    const { request, group, signal, onProgress } = call;
    let release = () => {};
    try {
      calls.inFlight.check(memory);
      const held = retainMemory(request, binding);
      release = held.release;
      enter();
      const response = await calls.run({
        choice: request,
        group,
        control: request.control,
        signal,
        onProgress,
        lastPhase: request.gradient ? 'backward' : 'forward',
        memory,
        buffers: buffersOf(request),
        start: () => binding.contrastive(held.retained),
      });
      call.files.verify();
      call.files.end(true);
      return { call, response, device };
    } catch (error) {
      throw abandon(call, error);
    } finally {
      release();
    }
  }

  function runSync(...args: Args) {
    const { call, binding, device, memory } = prepare(...args);
    try {
      throwIfAborted(call.signal);
      // after the signal, as its code may have started another call
      calls.inFlight.check(memory);
      const response = callNative(() => binding.contrastiveSync(call.request));
      reportBlocking(call.onProgress, { fraction: 1, phase: call.request.gradient ? 'backward' : 'forward' });
      call.files.verify();
      call.files.end(true);
      return { call, response, device };
    } catch (error) {
      throw abandon(call, error);
    }
  }

  // the signatures of LossFunctions say which options bring which fields of a result
  return {
    async contrastiveLoss(queries: Features, keys: Features | null, options?: AnyContrastiveOptions) {
      return lossResult(await run(queries, keys, options, false));
    },
    async contrastiveLossAndGrad(queries: Features, keys: Features | null, options?: AnyContrastiveOptions) {
      return lossAndGradResult(await run(queries, keys, options, true));
    },
    contrastiveLossSync(queries: Features, keys: Features | null, options?: AnyContrastiveOptions) {
      return lossResult(runSync(queries, keys, options, false));
    },
    contrastiveLossAndGradSync(queries: Features, keys: Features | null, options?: AnyContrastiveOptions) {
      return lossAndGradResult(runSync(queries, keys, options, true));
    },
  } as LossFunctions;
}

/** Gives back what a call that failed had taken. Returns the error for the caller. */
function abandon({ made, files }: ResolvedCall, error: unknown): unknown {
  const reason = files.explain(error);
  disposeAll(made);
  files.end(false);
  return reason;
}

interface Finished {
  call: ResolvedCall;
  response: ContrastiveResponse;
  /** Name of the device, null for the CPU. */
  device: string | null;
}

function lossResult({ call, response, device }: Finished): LossResult {
  return {
    loss: response.loss,
    accuracy: response.accuracy,
    ...(call.request.rows && { rows: call.request.rows }),
    stats: { backend: call.request.backend, device, ...response.stats },
  };
}

function lossAndGradResult(finished: Finished): LossAndGradResult<Gradient> {
  const { call, response } = finished;
  const { queryGrads, keyGrads, hardNegativeGrads } = call.gradients;
  return {
    ...lossResult(finished),
    queryGrads: queryGrads!,
    keyGrads: keyGrads!,
    ...(hardNegativeGrads && { hardNegativeGrads }),
    logitScaleGrad: response.logitScaleGrad,
    logitBiasGrad: response.logitBiasGrad,
  };
}

// Typed by name, so that an editor finds the comments of the signatures in loss-functions.ts.
const functions = createLossFunctions(() => loadBinding(), nativeCalls);
export const contrastiveLoss: LossFunctions['contrastiveLoss'] = functions.contrastiveLoss;
export const contrastiveLossAndGrad: LossFunctions['contrastiveLossAndGrad'] =
  functions.contrastiveLossAndGrad;
export const contrastiveLossSync: LossFunctions['contrastiveLossSync'] = functions.contrastiveLossSync;
export const contrastiveLossAndGradSync: LossFunctions['contrastiveLossAndGradSync'] =
  functions.contrastiveLossAndGradSync;
