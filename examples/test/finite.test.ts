/** NaN and infinity are found at every place, whatever the length. */

import { allFinite } from '../src/finite.js';

test.each([0, 1, 3, 4, 5, 8, 11])('%d numbers', (length) => {
  const values = Float32Array.from({ length }, (_, i) => (i % 2 === 0 ? 1 : -1) * 3e38);
  expect(allFinite(values)).toBe(true);
  for (let at = 0; at < length; at++) {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const spoilt = values.slice();
      spoilt[at] = bad;
      expect(allFinite(spoilt)).toBe(false);
    }
  }
});
