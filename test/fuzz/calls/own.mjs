/**
 * Values that the caller of a case throws on purpose, or aborts with. They must come back unchanged, and are
 * no errors of the library.
 *
 * Refuses to make an error that looks like one of the library: none has a code of the library.
 */

import { types } from 'node:util';
import { oddReasons } from './values.mjs';

export class OwnValues {
  #random;
  #values = new Set();
  #signals = [];
  /**
   * A signal is no AbortSignal: it may say that it aborted although it did not, and its reason may be
   * any value.
   */
  signalLies = false;
  /** A Proxy revoked itself while it was read: the engine's error at the next read is the Proxy's own. */
  proxyRevoked = false;

  constructor(random) {
    this.#random = random;
  }

  /** A value to throw: an error or anything else that JavaScript can throw. */
  make() {
    const value = this.#random.weighted([
      [6, new Error("the caller's own")],
      [1, 'a string'],
      [1, 7],
      [1, null],
      [1, undefined],
      [1, Symbol('own')],
      [1, Object.create(null)],
      [1, Object.freeze(new TypeError("the caller's own, frozen"))],
    ]);
    this.#values.add(value);
    return value;
  }

  throw() {
    throw this.make();
  }

  add(value) {
    this.#values.add(value);
  }

  /** A signal whose reason a call may reject with. */
  watch(signal) {
    this.#signals.push(signal);
    return signal;
  }

  has(error) {
    if (this.#values.has(error) || this.#isOfAProxy(error)) return true;
    if (oddReasons.has(error)) return true;
    return this.signalLies && (!types.isNativeError(error) || error.code === 'ERR_ABORTED');
  }

  /**
   * The JavaScript engine's own error for a Proxy of the caller. Anything else that was thrown may
   * be unreadable.
   */
  #isOfAProxy(error) {
    if (!types.isNativeError(error)) return false;
    const message = String(error.message);
    if (this.proxyRevoked && /has been revoked$/.test(message)) return true;
    // a trap whose answer the engine does not allow, and a method that was called on a Proxy of what it expects
    return /^'\w+' on proxy: /.test(message) || isRaisedInProxyMethod(String(error.stack));
  }

  isReason(error) {
    return this.#signals.some((signal) => {
      try {
        return signal.aborted && signal.reason === error;
      } catch {
        return false;
      }
    });
  }
}

/**
 * Whether the error comes from a method called on a Proxy, or from what the engine and Node call within
 * that method.
 */
function isRaisedInProxyMethod(stack) {
  for (const frame of stack.split('\n').slice(1)) {
    if (/^ +at Proxy\./.test(frame)) return true;
    if (!/\(<anonymous>\)$|\(node:|^ +at node:/.test(frame)) return false;
  }
  return false;
}
