/**
 * Facts about typed arrays and their buffers, read by the getters of the intrinsic prototypes. The getters
 * are taken once, when this file loads.
 *
 * Refuses to read `buffer`, `byteOffset`, `length` and other properties of the object itself. An own property
 * of that name could hide a resizable buffer or an overlap.
 */

import { types } from 'node:util';

type Getter<Self, T> = (self: Self) => T;

/** The getter of an accessor property, undefined where this version of Node lacks it. */
function intrinsic<Self, T>(prototype: object, name: string | symbol): Getter<Self, T> | undefined {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return get && ((self) => Reflect.apply(get, self, []) as T);
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

export const bufferOf = intrinsic<ArrayBufferView, ArrayBufferLike>(typedArray, 'buffer')!;
export const byteOffsetOf = intrinsic<ArrayBufferView, number>(typedArray, 'byteOffset')!;
/** Number of elements; 0 once the buffer is detached. */
export const lengthOf = intrinsic<ArrayBufferView, number>(typedArray, 'length')!;

const nameOf = intrinsic<unknown, string | undefined>(typedArray, Symbol.toStringTag)!;

/**
 * The class of a typed array, as 'Float32Array'. Undefined for any other value, also for a Proxy of a
 * typed array.
 */
export function kindOf(value: unknown): string | undefined {
  return nameOf(value);
}

const ofBuffer = {
  byteLength: intrinsic<ArrayBufferLike, number>(ArrayBuffer.prototype, 'byteLength')!,
  resizable: intrinsic<ArrayBufferLike, boolean>(ArrayBuffer.prototype, 'resizable'),
};
const ofShared = {
  byteLength: intrinsic<ArrayBufferLike, number>(SharedArrayBuffer.prototype, 'byteLength')!,
  resizable: intrinsic<ArrayBufferLike, boolean>(SharedArrayBuffer.prototype, 'growable'),
};

/** Whether the buffer may change its length: resizable, or shared and growable. */
export function isResizable(buffer: ArrayBufferLike): boolean {
  return (types.isSharedArrayBuffer(buffer) ? ofShared : ofBuffer).resizable?.(buffer) ?? false;
}

/**
 * Works without `ArrayBuffer.prototype.detached`, which Node 20 lacks: no view can be made on a
 * detached buffer.
 */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (types.isSharedArrayBuffer(buffer) || ofBuffer.byteLength(buffer) > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
