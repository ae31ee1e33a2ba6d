/** Compares results of test/binaries/compute.cjs as numbers, where two machines may round in different ways. */
import { differences } from './installed.mjs';

/** The number whose 64 bits compute.cjs writes in hexadecimal, lowest byte first. */
const bytesOf = (bits) => Buffer.from(bits, 'hex');
const numberOf = (bits) => bytesOf(bits).readDoubleLE();

/** Whether two numbers of the same sign are equal or neighbours. */
export function withinOneUlp(a, b) {
  const [left, right] = [a, b].map((bits) => bytesOf(bits).readBigInt64LE());
  const distance = left > right ? left - right : right - left;
  return distance <= 1n;
}

/** Whether two numbers differ by at most a fraction of `scale`. NaN, such as the accuracy of supcon, is close to NaN alone. */
const isClose = (a, b, scale, tolerance) =>
  (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= tolerance * scale;

function compareCase(expected, found, tolerance) {
  const lines = [];
  for (const [name, bits] of Object.entries(expected.numbers)) {
    const [a, b] = [bits, found.numbers[name]].map((each) => (each ? numberOf(each) : null));
    if (!isClose(a, b, Math.abs(a), tolerance)) lines.push(`${found.name}: ${name} is ${b}, expected ${a}`);
  }
  for (const [name, sums] of Object.entries(expected.sums)) {
    const others = found.sums[name] ?? [];
    const close = sums.every((sum, at) => isClose(sum, others[at], sums[0], tolerance));
    if (!close) lines.push(`${found.name}: sums of ${name} are ${others}, expected ${sums}`);
  }
  return lines;
}

/**
 * Places where a run is further from the expected one than allowed, relative to each number, or for an array to the
 * sum of its magnitudes. `toleranceOf` says how much is allowed for a case of the run. One wrong element of an array
 * is visible there. A run must also agree with itself bit by bit.
 */
export function distances(expected, found, toleranceOf) {
  if (found.cases.length !== expected.cases.length) return ['another number of cases'];
  const lines = found.cases.flatMap((one, at) => compareCase(expected.cases[at], one, toleranceOf(one)));
  return [...lines, ...differences(found, found)];
}
