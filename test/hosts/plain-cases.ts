/** Matrices of JavaScript alone, and stand-ins for packages that are not installed, for the table of docs/hosts.md. */
import { bfloat16, type Case, flat, rows, shape } from './convention';

const standIns: Case[] = [
  {
    convention: 'fastembed batch',
    runWith: 'stand-in',
    make: () => rows.map((row) => Float32Array.from(row)),
    names: (made) => ({ rows: made }),
  },
  {
    convention: 'node-llama-cpp embeddings',
    runWith: 'stand-in',
    make: () => rows.map((vector) => ({ vector })),
    names: (made) => ({ rows: made }),
  },
  {
    convention: "OpenAI embeddings, the answer's `data`",
    runWith: 'stand-in',
    make: () => rows.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    names: (made) => ({ rows: made }),
  },
];

/** A matrix behind eight bytes of other things. */
function sharedFlat() {
  const data = new Float32Array(new SharedArrayBuffer(64), 8, 6);
  data.set(flat());
  return data;
}

function wasmFlat() {
  const { buffer } = new WebAssembly.Memory({ initial: 1 });
  const data = new Float32Array(buffer, 1024, 6);
  data.set(flat());
  return data;
}

const data = (make: () => unknown) => () => ({ data: make(), shape });
const sizes = { rows: shape[0], dim: shape[1] };

const plain: Omit<Case, 'runWith'>[] = [
  { convention: 'arrays of numbers', make: () => rows, names: (made) => ({ rows: made }) },
  {
    convention: 'rows of `Float32Array`',
    make: () => rows.map((row) => Float32Array.from(row)),
    names: (made) => ({ rows: made }),
  },
  {
    convention: 'one flat array of numbers',
    make: () => rows.flat(),
    names: (numbers) => ({ numbers, ...sizes }),
  },
  { convention: 'a `Float32Array` alone', make: flat, names: (array) => ({ array, ...sizes }) },
  { convention: '`{ data, shape }` with a `Float32Array`', make: data(flat) },
  { convention: '`{ data, shape }` on a `SharedArrayBuffer`', make: data(sharedFlat) },
  { convention: '`{ data, shape }` on the memory of a WebAssembly module', make: data(wasmFlat) },
  {
    convention: "`{ data, shape, dtype: 'bfloat16' }` with bits in a `Uint16Array`",
    make: () => ({ data: bfloat16(), shape, dtype: 'bfloat16' }),
  },
  {
    convention: '`{ data, shape }` with bits in a `Uint16Array`',
    make: data(bfloat16),
    names: (matrix) => ({ matrix }),
  },
  {
    convention: '`{ data, shape }` with a `Float64Array`',
    make: data(() => Float64Array.from(flat())),
    names: (made) => made,
  },
  {
    convention: '`{ data, shape }` with an `Int8Array` (quantised)',
    make: data(() => Int8Array.from(flat())),
    names: (made) => made,
  },
  {
    convention: 'Node `Buffer` with the bytes of float32',
    // begins at an odd byte, as parts of messages do
    make: () => Buffer.concat([Buffer.from('#'), Buffer.from(flat().buffer)]).subarray(1),
    names: (bytes) => ({ bytes, ...sizes }),
  },
  {
    convention: '`ArrayBuffer` with the bytes of float32',
    make: () => flat().buffer,
    names: (bytes) => ({ bytes, ...sizes }),
  },
  {
    convention: 'a promise of features',
    make: () => Promise.resolve({ data: flat(), shape }),
    names: (promise) => ({ promise }),
  },
];

const halves: Case = {
  convention: '`{ data, shape }` with a `Float16Array`',
  runWith: 'Node 24',
  make: () => undefined,
  node24: `({ data: Float16Array.of(${rows.flat()}), shape: [${shape}] })`,
};

export const plainCases = [
  ...standIns,
  ...plain.map((one): Case => ({ ...one, runWith: 'plain JavaScript' })),
  halves,
];
