/**
 * Every error that this package raises on purpose: a TypeError, RangeError or Error with a `code` on which
 * programs can switch. The table says which class a code belongs to. Messages name the argument, the expected
 * and the received value. `docs/troubleshooting.md` has cause and remedy for each code.
 *
 * Refuses to wrap errors of others: an error of a callback, or `signal.reason`, reaches the caller unchanged.
 */

import { types } from 'node:util';

const classOfCode = {
  /** An argument of the wrong type. */
  ERR_TYPE: TypeError,
  /** Right type, impossible value. */
  ERR_VALUE: RangeError,
  /** An element type that features cannot have. */
  ERR_DTYPE: TypeError,
  /** Shapes that do not fit each other, or an array too short for its shape. */
  ERR_SHAPE: RangeError,
  /** An option that does not exist. */
  ERR_OPTION: TypeError,
  /** A buffer whose memory may move or shrink: resizable or growable. */
  ERR_BUFFER: TypeError,
  /** A buffer transferred away, before or during the call. */
  ERR_DETACHED: TypeError,
  /** A DeviceMatrix, a store or its writer, a tensor of TensorFlow.js, or a group of ranks, that was disposed of. */
  ERR_DISPOSED: TypeError,
  /** Output arrays that overlap inputs, each other, or arrays of a call that waits or runs. */
  ERR_OVERLAP: RangeError,
  /**
   * chunkedStep: no chunks, or other chunks in the backward phase than in the encode phase. mineHardNegatives: parts
   * that are not all keys, each once.
   */
  ERR_CHUNKS: RangeError,
  /**
   * chunkedStep: an encoder without a method that the step needs, or that returns a wrong value. infcl/tfjs:
   * nested gradients, layers that cannot repeat a pass, gradients that would mix moments of an optimiser.
   */
  ERR_ENCODER: TypeError,
  /** infcl/data: a file whose content cannot be used, or that has changed since it was opened. */
  ERR_DATA: Error,
  /**
   * A file of features that cannot be read or written: not there, damaged, changed while open, no room on the
   * disk. Or a writer that is used out of order.
   */
  ERR_STORE: Error,
  /** NaN or infinity in the features, or logits beyond float32. */
  ERR_NOT_FINITE: RangeError,
  /** `workspaceBytes` below the least this shape needs. */
  ERR_WORKSPACE: RangeError,
  /** The system refused memory. */
  ERR_OUT_OF_MEMORY: RangeError,
  /** A feature that is planned but not in this version. */
  ERR_NOT_IMPLEMENTED: Error,
  /**
   * A backend that cannot run here, a native addon that does not load, or an MPI that was not found or does not
   * fit.
   */
  ERR_BACKEND_UNAVAILABLE: Error,
  /** A CUDA device that does not exist, or one that failed. */
  ERR_DEVICE: Error,
  /** INFCL_ISA names an instruction set this machine lacks. */
  ERR_ISA: Error,
  /** The native side stopped without its caller asking; callers who abort get `signal.reason` instead. */
  ERR_ABORTED: Error,
  /** A call over several ranks that ended because another rank failed, was aborted, or called something else. */
  ERR_RANK_FAILED: Error,
  /** A defect of this package. */
  ERR_INTERNAL: Error,
} as const;

export type ErrorCode = keyof typeof classOfCode;
export type InfclError = Error & { code: ErrorCode };

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(classOfCode, code);
}

/**
 * Whether a value is an error with one of infcl's codes. In a `catch` block this gives `error` a type, with
 * all codes that `error.code` may have. Never throws.
 */
export function isInfclError(error: unknown): error is InfclError {
  return types.isNativeError(error) && isErrorCode(ownValue(error, 'code'));
}

/** The value of a property. A getter is not called, as its code might throw. */
function ownValue(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

/** Builds the error; the caller throws it. */
export function codedError(code: ErrorCode, message: string, cause?: unknown): InfclError {
  const error = new classOfCode[code](message, cause === undefined ? undefined : { cause });
  // defined and not assigned: a setter on Object.prototype could swallow an assignment
  return Object.defineProperty(error, 'code', {
    value: code,
    enumerable: true,
    writable: true,
    configurable: true,
  }) as InfclError;
}

/** Makes a blocking native call. Throws its errors as {@link fromNative} restates them. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/** A native error as one of infcl's: the same code and message, in the class that belongs to the code. */
export function fromNative(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return isErrorCode(code) ? codedError(code, String(message), error) : error;
}
