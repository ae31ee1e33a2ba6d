/**
 * What the conformance suite asks of a host: a framework with its adapter, or an encoder by hand. A host file
 * implements this interface, and `describeHost` of suite.ts runs every case that applies.
 *
 * A host never leaves a case out silently: what it lacks is listed in `cannot` with the reason.
 */
import type { Encoder } from '../../../lib/trainer';
import type { DenseTower, Parameters } from './network';

/** The cases, by name. Each of them is a test of the suite. */
export const caseTitles = {
  denseLoss: 'loss and gradients equal those of the dense loss in float64',
  autodiff: 'gradients equal those that the host computes for the dense loss',
  unevenChunk: 'the last chunk may be smaller',
  chunkSizes: 'the towers may have chunks of different sizes',
  sharedEncoder: 'one encoder serves both towers',
  accumulation: 'gradients of two steps add up until they are taken',
  hardNegatives: 'a third tower, of hard negatives, gets its gradients, with a smaller last chunk',
  sharedByThree: 'one encoder serves three towers',
  lists: 'lists of positives and uneven numbers of hard negatives reach the loss',
  normalizedRows: 'rows are normalised by the step, and gradients go through that',
  ownLoss: 'gradients of a loss by hand reach the towers',
  matryoshka: 'losses on prefixes of the features add up on one encode',
  frozenModels:
    'features of other models, a guide and a teacher, change the gradients of the towers as they should',
  oneTower: 'supcon trains one tower without another',
  gradScale: 'two steps at half the gradient scale give the gradients of one step',
  frozenTower: 'a frozen tower has no backward phase, and the other tower gets its gradients',
  dropoutReplay: 'the backward phase draws the dropout of the encode phase',
  dropoutOfThree: 'dropout is replayed in three towers of one encoder',
  dropoutAnew: 'each chunk and each step draws new dropout',
  encodeTwice: 'two chunks can be encoded before the backward of one',
  encodeFails: 'a failure of encode leaves nothing behind',
  backwardFails: 'a failure of backward leaves nothing behind once gradients are discarded',
  hardNegativesFail: 'a failure of the third tower leaves nothing behind once gradients are discarded',
  lossFails: 'a failure of the loss leaves nothing behind',
  iteratorFails: 'a failure of a chunk iterator leaves nothing behind',
  abortEncode: 'an abort in the encode phase leaves nothing behind',
  abortLoss: 'an abort in the loss leaves nothing behind',
  abortBackward: 'an abort in the backward phase leaves nothing behind once gradients are discarded',
  interleavedSteps: 'two steps at once on different encoders give what they give alone',
  changedRows: 'a second pass with as many chunks but other rows is refused',
  optimiser: 'three steps of Adam on both towers equal three dense steps',
  nestedGradient: 'a gradient within a gradient is refused',
  featuresAlone: 'features without a step are those of the network, and the call gives back the random state',
  bank: 'a bank adds negatives, its positives do not count, and the features of the step go into it',
  halfFeatures: '16-bit features are taken as they are',
  memory: 'steps leave no arrays behind',
} as const;

export type CaseName = keyof typeof caseTitles;

export interface TowerOptions {
  /** The host copies these values. */
  parameters: Parameters;
  /** Probability that an input of the network becomes zero. The host scales the other inputs as it likes. */
  dropout?: number;
  /** Where dropout begins; the host's own default where absent. */
  seed?: number;
  /** The tower is made without `backward`. */
  frozen?: boolean;
  /** Features come as 16-bit floats, rounded from those of the float32 network. */
  half?: boolean;
  /** The host calls this function at the beginning of each run of the network. What it throws, the network throws. */
  beforeRun?: () => void;
}

/** One network, features = tanh(x W + b), with dropout on x. */
export interface HostTower<Chunk> {
  readonly encoder: Encoder<Chunk>;
  /** The gradients added up since the last call. Throws ERR_ENCODER where there are none. */
  takeGradients(): Promise<Parameters>;
  discardGradients(): void;
  /** The parameters as they are now. */
  parameters(): Promise<Parameters>;
  /** Frees all that the tower holds. */
  dispose(): void;
}

export interface HostOptimiser {
  /** One step of Adam with the gradients of all towers, which are gone afterwards. */
  step(): Promise<void>;
  dispose(): void;
}

export interface Host<Chunk> {
  readonly name: string;
  /** Whether towers can have a backward phase. Where not, the suite trains the other tower by hand. */
  readonly trains: boolean;
  /** Once, before the cases. */
  start?(): Promise<void>;
  makeTower(options: TowerOptions): HostTower<Chunk> | Promise<HostTower<Chunk>>;
  /** A chunk from float32 [rows x inputDim], made anew for every pass. */
  makeChunk(rows: Float32Array): Chunk;
  /** Frees a chunk after its pass. Absent where encoders consume chunks, and where nothing has to be freed. */
  freeChunk?(chunk: Chunk): void;

  // each of the following is there, or its case is in `cannot`

  /** `memory`: how many arrays of the framework exist now. */
  live?(): number;
  /** `autodiff`: gradients of the dense loss (objective `clip`), by the framework alone. */
  denseGradients?(
    queries: DenseTower,
    keys: DenseTower,
    logitScale: number,
  ): Promise<[Parameters, Parameters]>;
  /** `optimiser`: the host's Adam with `adamOptions` of network.ts, for all these towers. */
  makeOptimiser?(towers: readonly HostTower<Chunk>[]): HostOptimiser;
  /** `nestedGradient`: asks the host for a gradient through a gradient of the loss, and so throws. */
  nestedGradient?(): unknown;

  /** The cases that do not apply to this host, and why. The suite prints them. */
  readonly cannot: Partial<Record<CaseName, string>>;
}
