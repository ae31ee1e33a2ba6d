/** The numbers of all bit patterns of float16 and bfloat16, against the oracle, and back to the same bits. */
import { fromBits, toBits } from '../../lib/matrix/narrow';
import { fromBfloat16, fromFloat16 } from '../reference/narrow';

it.each([
  ['float16', fromFloat16, 0x7c00],
  ['bfloat16', fromBfloat16, 0x7f80],
] as const)('%s', (dtype, oracle, infinity) => {
  const patterns = Array.from({ length: 0x10000 }, (_, bits) => bits);
  const finite = patterns.filter((bits) => (bits & 0x7fff) < infinity);
  expect(finite.filter((bits) => !Object.is(fromBits(bits, dtype), oracle(bits)))).toEqual([]);
  expect(finite.filter((bits) => toBits(fromBits(bits, dtype), dtype) !== bits)).toEqual([]);
  expect([fromBits(infinity, dtype), fromBits(infinity | 0x8000, dtype)]).toEqual([Infinity, -Infinity]);
  expect(fromBits(infinity + 1, dtype)).toBeNaN();
});
