/**
 * Signals and progress callbacks of a case: real ones, look-alikes, and those whose code throws, aborts, or calls the
 * library back. Aborts at random moments.
 *
 * Refuses callbacks whose promise never settles, as a call would wait for the promise by contract.
 */

const reasons = [undefined, null, 0, 'stop', new Error('stop'), Object.freeze({}), Symbol('stop')];

/** A signal that may abort, and `abort` to do so. `soon` runs something at a random moment. */
export function makeSignal(random, { own, soon }) {
  const controller = new AbortController();
  const { signal } = controller;
  own.watch(signal);
  const abort = () => {
    if (random.chance(0.5)) controller.abort();
    else controller.abort(random.pick(reasons));
  };
  const kind = random.weighted([
    [4, 'later'],
    [1, 'before'],
    [2, 'never'],
    [1, 'timeout'],
    [1, 'any'],
    [3, 'alike'],
  ]);
  if (kind === 'before') abort();
  if (kind === 'later' || kind === 'any') soon(abort);
  if (kind === 'timeout')
    return { signal: own.watch(AbortSignal.timeout(random.integer(0, 8))), abort, kind };
  if (kind === 'any') return { signal: own.watch(AbortSignal.any([signal])), abort, kind };
  if (kind === 'alike') return { ...lookAlike(random, own, soon), kind };
  return { signal, abort, kind };
}

/** A signal of no class, with some of its parts missing or hostile. */
function lookAlike(random, own, soon) {
  const listeners = new Set();
  const reason = random.pick(reasons);
  own.add(reason);
  own.add(undefined);
  const dispatch = random.pick([
    (f) => f(),
    (f) => f({}),
    (f) => f({ type: 'abort' }),
    (f) => f(Object.create(null)),
  ]);
  const signal = {
    aborted: false,
    reason: undefined,
    addEventListener: (_, listener) => void listeners.add(listener),
    removeEventListener: (_, listener) => void listeners.delete(listener),
    throwIfAborted() {
      if (signal.aborted) throw signal.reason;
    },
  };
  const abort = () => {
    // a property that a mutation has made an accessor stays one
    Reflect.set(signal, 'aborted', true);
    Reflect.set(signal, 'reason', reason);
    // the caller of abort sees what a listener throws
    for (const listener of [...listeners]) dispatch(listener);
  };
  const names = Object.keys(signal);
  const name = random.pick(names);
  const twist = random.weighted([
    [4, () => {}],
    [1, () => Reflect.deleteProperty(signal, name)],
    [1, () => Object.defineProperty(signal, name, { value: random.pick([5, null, 'x']), writable: true })],
    [2, () => Object.defineProperty(signal, name, { get: () => own.throw(), set: () => {} })],
    [2, () => Object.defineProperty(signal, random.pick(names.slice(2)), { value: () => own.throw() })],
    [1, () => Object.defineProperty(signal, 'addEventListener', { value: (_, f) => dispatch(f) })],
    [1, () => Object.defineProperty(signal, 'aborted', { get: () => random.chance(0.5), set: () => {} })],
  ]);
  twist();
  own.signalLies = true;
  if (random.chance(0.6)) soon(() => abort());
  return { signal, abort };
}

/** An `onProgress`, and whether what it does can be the error of a call. `act` calls the library. */
export function makeProgress(random, { own, act, complain }) {
  const check = (done) => {
    const { fraction, phase } = done;
    const inRange = fraction === undefined || (fraction >= 0 && fraction <= 1);
    if (!inRange || typeof phase !== 'string')
      complain(`onProgress was called with ${fraction} of ${String(phase)}`);
  };
  const does = random.pick([
    () => {},
    () => own.throw(),
    async () => {},
    async () => own.throw(),
    () => Promise.reject(own.make()),
    () => act.abort(),
    () => void act.call(),
    () => act.callAsync(),
    () => 5,
    () => ({ [thenName]: 5 }),
    () => ({ [thenName]: () => own.throw() }),
    () => ({ [thenName]: (resolve) => resolve(1) }),
    () => Object.defineProperty({}, thenName, { get: () => own.throw() }),
  ]);
  return (done) => {
    check(done);
    return does();
  };
}

const thenName = 'then';
