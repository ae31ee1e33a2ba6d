/** Gives the reader of headers a defect, named by RANDOM_HEADERS_SABOTAGE, for random-headers.test.ts. */
const { join } = require('node:path');

const reader = require(join(__dirname, '..', '..', '..', 'dist', 'store', 'read-header.js'));
const original = reader.readLayoutOf;

const defects = {
  rows: async (file, tensor) => ({ ...(await original(file, tensor)), rows: 1, dim: 1 }),
  bounds: async (file, tensor) => {
    const layout = await original(file, tensor);
    return { ...layout, rows: layout.rows + 1000 };
  },
  throw: async () => {
    throw new TypeError('a defect');
  },
  memory: async (file, tensor) => {
    for (let i = 0; i < 2 ** 18; i++) await file.read(0, 8);
    return original(file, tensor);
  },
  message: async (file) => file.refuse('x'.repeat(2000)),
};

Object.defineProperty(reader, 'readLayoutOf', { value: defects[process.env.RANDOM_HEADERS_SABOTAGE] });
