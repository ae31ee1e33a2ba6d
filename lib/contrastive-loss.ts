/**
 * The loss and its gradients, each as a promise and as a blocking call: check the arguments, allocate the outputs,
 * make one native call, hand back what it found.
 *
 * Refuses arithmetic of its own. Asynchronous calls queue here, so that any number of them use the machine once.
 */

import { requireBackend } from './backend';
import { extentsOf, rememberBuffers } from './call-memory';
import { CallQueue } from './call-queue';
import type { ContrastiveOptions } from './contrastive-options';
import { disposeAll, holdDeviceMemory } from './device-call';
import type { DeviceMatrix, Gradient } from './device-matrix';
import { fromNative } from './errors';
import type { Features } from './features';
import { MemoryInFlight, memoryInFlight } from './memory-in-flight';
import type {
  BackendChoice,
  ContrastiveRequest,
  ContrastiveResponse,
  NativeBinding,
  NativeStats,
} from './native/binding';
import { loadBinding } from './native/load';
import { throwIfAborted } from './on-abort';
import { type ResolvedCall, resolveCall } from './options';
import { reportBlocking } from './progress';
import { supervise } from './supervise';

export type { ContrastiveOptions, DirectionName, Objective, Progress } from './contrastive-options';

/** What a call cost. Times in seconds, sizes in bytes. */
export interface Stats extends NativeStats {
  backend: 'cpu' | 'cuda';
  /** Name of the device; null on the CPU. */
  device: string | null;
}

/** One entry per query. */
export interface RowResults {
  loss: Float32Array;
  /** Log-sum-exp of all that counts against the query; NaN for 'siglip', which has none. */
  lse: Float32Array;
  /** 1 where no key scores above the positive. */
  positiveFirst: Uint8Array;
}

export interface LossResult {
  loss: number;
  /**
   * Share of queries whose positive (supcon: best positive) no key outranks; ties count as first. NaN where queries are
   * compared with each other only.
   */
  accuracy: number;
  /** With `perRow: true`. */
  rows?: RowResults;
  stats: Stats;
}

/** Gradients are of float32, in the place of the features: a DeviceMatrix for each DeviceMatrix. */
export interface LossAndGradResult<G extends Gradient = Float32Array> extends LossResult {
  /** dLoss/dQueries [M × D], row-major; of length 0 (on a device: of no rows) when `grad.queries` is false. */
  queryGrads: G;
  /** dLoss/dKeys [N × D], or [n × D] with `grad.keys: { rows: n }`; of length 0 when `grad.keys` is false. */
  keyGrads: G;
  /** dLoss/dHardNegatives [M * perQuery × D], with `hardNegatives` whose gradient is wanted. */
  hardNegativeGrads?: G;
  /** dLoss/dLogitScale. */
  logitScaleGrad: number;
  /** dLoss/dLogitBias: 0 but for 'siglip', as a bias cancels in every softmax objective. */
  logitBiasGrad: number;
}

/** What gradients of these features are. */
export type GradientOf<F extends Features> = F extends DeviceMatrix ? DeviceMatrix : Float32Array;

export interface LossFunctions {
  contrastiveLoss(
    queries: Features,
    keys: Features | null,
    options?: ContrastiveOptions,
  ): Promise<LossResult>;
  contrastiveLossAndGrad<Q extends Features>(
    queries: Q,
    keys: Features | null,
    options?: ContrastiveOptions,
  ): Promise<LossAndGradResult<GradientOf<Q>>>;
  contrastiveLossSync(queries: Features, keys: Features | null, options?: ContrastiveOptions): LossResult;
  contrastiveLossAndGradSync<Q extends Features>(
    queries: Q,
    keys: Features | null,
    options?: ContrastiveOptions,
  ): LossAndGradResult<GradientOf<Q>>;
}

/** The four functions over one native binding, which is asked for only after the arguments have been checked. */
export function createLossFunctions(
  getBinding: () => NativeBinding,
  inFlight = new MemoryInFlight(),
): LossFunctions {
  // One for each backend and device, whose calls run beside each other's.
  const queues = new Map<string, CallQueue>();
  const queueOf = ({ backend, device }: BackendChoice) => {
    const name = `${backend} ${device}`;
    const queue = queues.get(name) ?? new CallQueue();
    queues.set(name, queue);
    return queue;
  };

  const prepare = (
    queries: Features,
    keys: Features | null,
    options?: ContrastiveOptions,
    gradient?: boolean,
  ) => {
    const call = resolveCall(queries, keys, options, gradient);
    try {
      const binding = getBinding();
      const device = requireBackend(call.request, binding);
      return { call, binding, device, memory: extentsOf(call.memory, binding) };
    } catch (error) {
      disposeAll(call.made);
      throw error;
    }
  };

  async function run(...args: Parameters<typeof prepare>) {
    const { call, binding, device, memory } = prepare(...args);
    const { request, signal, onProgress } = call;
    const ends: (() => void)[] = [];
    try {
      ends.push(inFlight.enter(memory));
      const { held, release } = holdDeviceMemory(request, binding);
      ends.push(release);
      const verify = rememberBuffers(request);
      const lastPhase = request.gradient ? 'backward' : 'forward';
      const watch = { control: request.control, signal, onProgress, lastPhase } as const;
      const { result: response, settled } = await queueOf(request).run(
        () => supervise(watch, () => callAsync(binding, held)),
        signal,
      );
      verify();
      await settled();
      return { call, response, device };
    } catch (error) {
      disposeAll(call.made);
      throw error;
    } finally {
      for (const end of ends) end();
    }
  }

  function runSync(...args: Parameters<typeof prepare>) {
    const { call, binding, device, memory } = prepare(...args);
    try {
      throwIfAborted(call.signal);
      // after the signal, whose code may have started another call
      inFlight.check(memory);
      const response = callSync(binding, call.request);
      reportBlocking(call.onProgress, { fraction: 1, phase: call.request.gradient ? 'backward' : 'forward' });
      return { call, response, device };
    } catch (error) {
      disposeAll(call.made);
      throw error;
    }
  }

  return {
    async contrastiveLoss(queries, keys, options) {
      return lossResult(await run(queries, keys, options, false));
    },
    async contrastiveLossAndGrad<Q extends Features>(
      queries: Q,
      keys: Features | null,
      options?: ContrastiveOptions,
    ) {
      return lossAndGradResult<GradientOf<Q>>(await run(queries, keys, options, true));
    },
    contrastiveLossSync(queries, keys, options) {
      return lossResult(runSync(queries, keys, options, false));
    },
    contrastiveLossAndGradSync<Q extends Features>(
      queries: Q,
      keys: Features | null,
      options?: ContrastiveOptions,
    ) {
      return lossAndGradResult<GradientOf<Q>>(runSync(queries, keys, options, true));
    },
  };
}

async function callAsync(binding: NativeBinding, request: ContrastiveRequest): Promise<ContrastiveResponse> {
  try {
    return await binding.contrastive(request);
  } catch (error) {
    throw fromNative(error);
  }
}

function callSync(binding: NativeBinding, request: ContrastiveRequest): ContrastiveResponse {
  try {
    return binding.contrastiveSync(request);
  } catch (error) {
    throw fromNative(error);
  }
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

function lossAndGradResult<G extends Gradient>(finished: Finished): LossAndGradResult<G> {
  const { call, response } = finished;
  const { queryGrads, keyGrads, hardNegativeGrads } = call.gradients!;
  return {
    ...lossResult(finished),
    queryGrads: queryGrads as G,
    keyGrads: keyGrads as G,
    ...(hardNegativeGrads && { hardNegativeGrads: hardNegativeGrads as G }),
    logitScaleGrad: response.logitScaleGrad,
    logitBiasGrad: response.logitBiasGrad,
  };
}

const functions = createLossFunctions(() => loadBinding(), memoryInFlight);

/**
 * Loss of `queries` [M × D] against `keys` [N × D] (float32, float16 or bfloat16, used as they are: normalise them
 * first if the model does). With x_ij = s · q_i·k_j and p(i) the positive of row i, x taken over all pairs and never
 * stored:
 *
 *   infonce  L = mean_i [ lse_j x_ij − x_i,p(i) ]                                 (van den Oord et al. 2018, eq. 4)
 *   clip     L = mean_i [ ½ (lse_j x_ij + lse_j x_ji) − x_ii ]                    (Radford et al. 2021)
 *   ntxent   clip, each lse also over the other rows of its own side              (Chen et al. 2020, eq. 1)
 *   supcon   L = mean_a [ lse_b≠a x_ab − mean_p∈P(a) x_ap ] over a with positives (Khosla et al. 2020, eq. 2)
 *   siglip   L = 1/M Σ_ij log(1 + exp(−z_ij (x_ij + c))), z = 1 for pairs, else −1 (Zhai et al. 2023, eq. 1)
 *
 * Features of a {@link DeviceMatrix} stay on its device, which runs the call. Does not block the event loop; calls run one after another, in order. The arrays must stay as they are until the
 * promise settles. Rejects with the codes of docs/troubleshooting.md, with `signal.reason`, or with what `onProgress`
 * threw.
 */
export const contrastiveLoss: LossFunctions['contrastiveLoss'] = functions.contrastiveLoss;

/**
 * The loss as {@link contrastiveLoss}, and its gradients with respect to queries, keys and logit scale: float32, on the
 * host or, of a DeviceMatrix, as a DeviceMatrix of the caller's to dispose of.
 */
export const contrastiveLossAndGrad: LossFunctions['contrastiveLossAndGrad'] =
  functions.contrastiveLossAndGrad;

/**
 * {@link contrastiveLoss}, blocking: for frameworks whose gradient hooks are synchronous. Waits for an asynchronous
 * call that runs on this thread, goes before those that wait. `signal` is looked at once, before the work;
 * `onProgress` is called once, after it.
 */
export const contrastiveLossSync: LossFunctions['contrastiveLossSync'] = functions.contrastiveLossSync;

/** {@link contrastiveLossAndGrad}, blocking; see {@link contrastiveLossSync}. */
export const contrastiveLossAndGradSync: LossFunctions['contrastiveLossAndGradSync'] =
  functions.contrastiveLossAndGradSync;
