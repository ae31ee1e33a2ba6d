/**
 * What a caller may ask of a loss, and how it becomes one native request: names checked, defaults filled in, outputs
 * allocated. All checks that do not need to look at every feature happen here, before native work starts.
 *
 * Refuses names it does not know, combinations that make no sense, and output arrays that overlap anything.
 */

import { codedError } from './errors';
import { type Features, toNativeMatrix } from './matrix';
import { type ContrastiveRequest, Control, type NativeMatrix, type Objective } from './native/binding';
import * as check from './validate';

/** The words of `onProgress`: `fraction` of the named phase, 0 to 1. */
export interface Progress {
  fraction: number;
  phase: 'forward' | 'backward';
}

export interface ContrastiveOptions {
  /** 'clip': mean of both cross-entropies, needs as many keys as queries. 'infonce': queries to keys only. */
  objective?: Objective;
  /** Multiplier of the dot products, 1 / temperature. Positive. Default 1 / 0.07. */
  logitScale?: number;
  /** infonce: index of each query's positive among the keys, one per query. Default: row i's positive is key i. */
  labels?: Int32Array;
  /** Which feature gradients to compute, default both. `{ rows: n }`: those of the first n keys, the rest is a bank. */
  grad?: { queries?: boolean; keys?: boolean | { rows: number } };
  /** Also return each query's loss, log-sum-exp and whether its positive ranks first. */
  perRow?: boolean;
  /** Arithmetic of the tiles. */
  compute?: 'float32';
  /** 'auto' takes the fastest that is available. */
  backend?: 'auto' | 'cpu' | 'cuda';
  /** Which CUDA device; the CPU backend ignores it. */
  device?: number;
  /** Default: as many as this process may use. Results do not depend on it. */
  threads?: number;
  /** Upper bound on scratch memory in bytes. */
  workspaceBytes?: number;
  /** Arrays of the caller's to write gradients to, of exactly the right length: they are what the result holds. */
  out?: { queryGrads?: Float32Array; keyGrads?: Float32Array };
  /** Stops the call at its next tile; the promise rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called on the caller's thread about every 50 ms while the call runs, and once at its end with fraction 1. */
  onProgress?: (done: Progress) => void;
}

const optionNames: readonly (keyof ContrastiveOptions)[] = [
  'objective',
  'logitScale',
  'labels',
  'grad',
  'perRow',
  'compute',
  'backend',
  'device',
  'threads',
  'workspaceBytes',
  'out',
  'signal',
  'onProgress',
];

/** Named in the design, so that using one says "not yet" and not "unknown". */
const laterOptionNames = [
  'logitBias',
  'queryIds',
  'keyIds',
  'hardNegatives',
  'directions',
  'partition',
  'labelSmoothing',
  'queryWeights',
  'hardness',
  'gradientFilter',
  'group',
];

const defaultLogitScale = 1 / 0.07;
/** Beyond what any machine has; a larger number is a byte count in the wrong place. */
const mostThreads = 1024;

/** A checked call: what native code needs, and what stays on this side. */
export interface ResolvedCall {
  request: ContrastiveRequest;
  backend: 'auto' | 'cpu' | 'cuda';
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => void) | undefined;
}

/**
 * Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP or
 * ERR_NOT_IMPLEMENTED. With `gradient` false the options `grad` and `out` are ignored: the loss and its gradient can
 * share one options object.
 */
export function resolveCall(
  queryFeatures: Features,
  keyFeatures: Features,
  options: ContrastiveOptions = {},
  gradient = true,
): ResolvedCall {
  const given = check.plainObject('options', options) as ContrastiveOptions;
  check.knownNames('options', { ...given }, optionNames, laterOptionNames);
  const queries = toNativeMatrix('queries', queryFeatures);
  const keys = toNativeMatrix('keys', keyFeatures);
  const objective = resolveObjective(given);
  const labels = resolveLabels(given, objective, queries.rows, keys.rows);
  checkShapes(queries, keys, objective, labels !== null);
  if (given.compute !== undefined) {
    check.oneOf('options.compute', given.compute, ['float32'], ['float16', 'bfloat16']);
  }
  if (given.device !== undefined) check.nonNegativeInteger('options.device', given.device);
  const grads = gradient ? resolveGradients(given, queries, keys) : { queryGrads: null, keyGrads: null };
  const perRow = given.perRow !== undefined && check.boolean('options.perRow', given.perRow);
  return {
    request: {
      queries,
      keys,
      objective,
      logitScale:
        given.logitScale === undefined
          ? defaultLogitScale
          : check.positiveFloat('options.logitScale', given.logitScale),
      labels,
      gradient,
      ...grads,
      rows: perRow ? allocateRows(queries.rows) : null,
      ...resolveResources(given),
      control: new Int32Array(Control.length),
    },
    backend:
      given.backend === undefined
        ? 'auto'
        : check.oneOf('options.backend', given.backend, ['auto', 'cpu', 'cuda']),
    signal: given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal),
    onProgress:
      given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress),
  };
}

/** `threads` and `workspaceBytes`, 0 where native code is to choose. */
export function resolveResources(given: { threads?: number; workspaceBytes?: number }): {
  threads: number;
  workspaceBytes: number;
} {
  const { threads, workspaceBytes } = given;
  return {
    threads: threads === undefined ? 0 : check.positiveInteger('options.threads', threads, mostThreads),
    workspaceBytes:
      workspaceBytes === undefined ? 0 : check.positiveInteger('options.workspaceBytes', workspaceBytes),
  };
}

function resolveObjective({ objective }: ContrastiveOptions): Objective {
  if (objective === undefined) return 'clip';
  return check.oneOf('options.objective', objective, ['clip', 'infonce'], ['ntxent', 'supcon', 'siglip']);
}

function resolveLabels(
  { labels }: ContrastiveOptions,
  objective: Objective,
  queryRows: number,
  keyRows: number,
): Int32Array | null {
  if (labels === undefined) return null;
  check.int32Array('options.labels', labels);
  if (objective !== 'infonce') {
    throw codedError(
      'ERR_VALUE',
      `Expected no options.labels for objective '${objective}' but received some`,
    );
  }
  if (labels.length !== queryRows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${queryRows} options.labels, one per query, but received ${labels.length}`,
    );
  }
  // A copy: native code indexes with these, and the caller could change them once they are checked.
  const checked = Int32Array.from(labels);
  const bad = checked.findIndex((label) => label < 0 || label >= keyRows);
  if (bad >= 0) {
    throw check.invalid(
      'ERR_VALUE',
      `options.labels[${bad}]`,
      `key index from 0 to ${keyRows - 1}`,
      checked[bad],
    );
  }
  return checked;
}

function checkShapes(
  queries: NativeMatrix,
  keys: NativeMatrix,
  objective: Objective,
  hasLabels: boolean,
): void {
  if (keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected queries and keys of equal dim but received ${queries.dim} and ${keys.dim}`,
    );
  }
  if (objective === 'clip' && keys.rows !== queries.rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected as many keys as queries (${queries.rows}) for objective 'clip' but received ${keys.rows}`,
    );
  }
  if (!hasLabels && keys.rows < queries.rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least as many keys as queries (${queries.rows}) without options.labels but received ${keys.rows}`,
    );
  }
}

function resolveGradients(
  given: ContrastiveOptions,
  queries: NativeMatrix,
  keys: NativeMatrix,
): { queryGrads: Float32Array | null; keyGrads: Float32Array | null } {
  const grad = given.grad === undefined ? {} : check.plainObject('options.grad', given.grad);
  check.knownNames('options.grad', grad, ['queries', 'keys']);
  const out = given.out === undefined ? {} : check.plainObject('options.out', given.out);
  check.knownNames('options.out', out, ['queryGrads', 'keyGrads'], ['hardNegativeGrads']);

  const queryRows =
    grad.queries === undefined || check.boolean('options.grad.queries', grad.queries) ? queries.rows : 0;
  const keyRows = gradientKeyRows(grad.keys, keys.rows);
  const queryGrads = resolveOutput('options.out.queryGrads', out.queryGrads, queryRows, queries.dim);
  const keyGrads = resolveOutput('options.out.keyGrads', out.keyGrads, keyRows, keys.dim);
  refuseOverlap([
    ['options.out.queryGrads', queryGrads],
    ['options.out.keyGrads', keyGrads],
    ['queries.data', queries.data],
    ['keys.data', keys.data],
  ]);
  return { queryGrads, keyGrads };
}

function gradientKeyRows(wanted: unknown, keyRows: number): number {
  if (wanted === undefined || wanted === true) return keyRows;
  if (wanted === false) return 0;
  if (typeof wanted !== 'object' || wanted === null) {
    throw check.invalid('ERR_TYPE', 'options.grad.keys', 'boolean or { rows }', wanted);
  }
  check.knownNames('options.grad.keys', wanted as Record<string, unknown>, ['rows']);
  return check.positiveInteger('options.grad.keys.rows', (wanted as { rows?: unknown }).rows, keyRows);
}

/** The caller's array or a new one; null when that side is frozen. */
function resolveOutput(name: string, given: unknown, rows: number, dim: number): Float32Array | null {
  if (given === undefined) return rows === 0 ? null : new Float32Array(rows * dim);
  const array = check.float32Array(name, given);
  if (rows === 0) {
    throw codedError('ERR_VALUE', `Expected no ${name} as options.grad turns this gradient off`);
  }
  if (array.length !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows * dim} elements ([${rows}, ${dim}]) for ${name} but received ${array.length}`,
    );
  }
  return array;
}

/** The first two arrays are written while the others are read. Inputs may overlap: a batch against itself. */
function refuseOverlap(arrays: [string, ArrayBufferView | null][]): void {
  arrays.slice(0, 2).forEach(([name, a], i) => {
    for (const [otherName, b] of arrays.slice(i + 1)) {
      if (a && b && overlaps(a, b)) {
        throw codedError('ERR_OVERLAP', `Expected ${name} not to share memory with ${otherName}`);
      }
    }
  });
}

function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

function allocateRows(rows: number): NonNullable<ContrastiveRequest['rows']> {
  return {
    loss: new Float32Array(rows),
    lse: new Float32Array(rows),
    positiveFirst: new Uint8Array(rows),
  };
}
