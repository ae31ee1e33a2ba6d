/**
 * Actions of hostile code while a call of the library reads it: it calls the library again, blocking or not,
 * or aborts. Also the known call, whose bits must never change.
 *
 * Refuses memory of the case: these calls have their own.
 */

import { differences } from './verdict.mjs';

const features = (rows, dim, step) => ({
  data: Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * step)),
  shape: [rows, dim],
});
const queries = features(9, 5, 0.7);
const keys = features(9, 5, 1.3);
const knownOptions = { logitScale: 3, perRow: true };

export const knownArguments = [queries, keys, knownOptions];

/** `call`, `callAsync` and `abort` for the code of one case; the first two complain of a wrong result. */
export function makeActs(current, known, abort = () => {}) {
  const check = (result) => {
    const different = differences(known, result);
    if (different.length > 0) current.complain(`a call from within a call: ${different.join(', ')}`);
  };
  return {
    abort,
    call: () => {
      current.count('calls from within');
      current.api.plan({ queries: 64, dim: 8 });
      check(current.api.contrastiveLossAndGradSync(...knownArguments));
    },
    callAsync: () => {
      current.count('calls from within');
      return current.api.contrastiveLossAndGrad(...knownArguments).then(check);
    },
  };
}
