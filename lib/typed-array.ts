/**
 * What a typed array and its buffer really are, whatever properties somebody has put on them. The getters are taken once
 * from the intrinsic prototypes, when this file loads.
 *
 * Refuses to read `buffer`, `byteOffset`, `length` and the like off the object itself: an own property of that name would
 * hide a resizable buffer or an overlap.
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
/** Elements; 0 once the buffer is detached. */
export const lengthOf = intrinsic<ArrayBufferView, number>(typedArray, 'length')!;

const nameOf = intrinsic<unknown, string | undefined>(typedArray, Symbol.toStringTag)!;

/** 'Float32Array' and the like; undefined for what is no typed array, a Proxy of one included. */
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

/** Without `ArrayBuffer.prototype.detached`, which Node 20 lacks: no view can be made on a detached buffer. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (types.isSharedArrayBuffer(buffer) || ofBuffer.byteLength(buffer) > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
