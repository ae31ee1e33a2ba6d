/** All collectives over all element types, against sums and copies of values that every rank can compute. */
import { mpi } from 'infcl/mpi';
import { plain, say } from './rank.mjs';

const group = await mpi();
const { rank, size } = group;
const ranks = Array.from({ length: size }, (_, r) => r);
const classes = [Float32Array, Float64Array, Int32Array, Uint8Array];
const number = (r, i) => ((i * 7919 + r * 104729) % 1009) - (r === 0 ? 500 : 400);
/** An array of what `value` returns for each index. A loop: Class.from takes seconds for millions of values. */
function arrayOf(Class, length, value) {
  const array = new Class(length);
  for (let i = 0; i < length; i++) array[i] = value(i);
  return array;
}
const valuesOf = (Class, r, length) => {
  const divisor = Class === Int32Array ? 1 : 7;
  return arrayOf(Class, length, (i) => number(r, i) / divisor);
};
const wrong = [];
const expectEqual = (what, found, expected) => {
  const at = found.findIndex((x, i) => x !== expected[i]);
  if (found.length !== expected.length || at >= 0)
    wrong.push(`${what}: ${found[at]} at ${at} of ${found.length}`);
};
const reductions = {
  sum: (values) => values.reduce((a, b) => a + b),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};

for (const Class of classes) {
  for (const length of [0, 1, 3, 10_003]) {
    const all = ranks.map((r) => valuesOf(Class, r, length));
    for (const [operation, reduce] of Object.entries(reductions)) {
      if (Class === Uint8Array) continue;
      const values = all[rank].slice();
      const result = await group.allReduce(values, operation);
      if (result !== values) wrong.push('allReduce returns another array');
      const expected = arrayOf(Class, length, (i) => reduce(ranks.map((r) => all[r][i])));
      expectEqual(`${operation} of ${Class.name}`, values, expected);
    }
    for (const root of ranks) {
      const values = await group.broadcast(all[rank].slice(), root);
      expectEqual(`broadcast of ${Class.name} from ${root}`, values, all[root]);
    }
    const gathered = await group.allGather(all[rank]);
    expectEqual(
      `allGather of ${Class.name}`,
      gathered,
      all.flatMap((one) => [...one]),
    );
  }
}

// calls that are made before the first one has ended
const large = (r) => arrayOf(Float32Array, 300_001, (i) => number(r, i));
const [sum, copy] = await Promise.all([
  group.allReduce(large(rank)),
  group.broadcast(large(rank), size - 1),
  group.barrier(),
]);
const total = (i) => ranks.reduce((partial, r) => partial + number(r, i), 0);
expectEqual('large sum', sum, arrayOf(Float32Array, sum.length, total));
expectEqual('large copy', copy, large(size - 1));

// views of one buffer, shared memory
const shared = new Float64Array(new SharedArrayBuffer(80), 16, 5).fill(rank + 1);
await group.allReduce(shared, 'max');
expectEqual('shared memory', shared, new Float64Array(5).fill(size));

// a fault in WebAssembly stays an error of JavaScript: the library's signal handlers do not take the place of V8's
const code = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0],
  ...[10, 13, 1, 11, 0, 65, 128, 128, 128, 128, 120, 40, 2, 0, 11],
);
const { instance } = await WebAssembly.instantiate(code);
let trap;
try {
  instance.exports.f();
} catch (error) {
  trap = error.name;
}

// equal bits of inexact sums
const inexact = await group.allReduce(
  Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * (rank + 1))),
);
let bits = 0;
for (const word of new Uint32Array(inexact.buffer)) bits = (Math.imul(bits, 31) + word) | 0;

await group.close();
await group.close();
const closed = await group.barrier().then(() => null, plain);
const again = await mpi().then(() => null, plain);
say({ rank, size, wrong, trap, bits, closed, again });
