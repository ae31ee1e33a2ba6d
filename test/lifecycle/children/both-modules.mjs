/** Loads the package by import and by require, as its own name resolves; prints whether they are one. Reads dist/. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const imported = await import('infcl');

const required = createRequire(import.meta.url)('infcl');
const matrix = { data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), shape: [8, 8] };
const settled = [];
const losses = await Promise.all(
  [imported, required, imported, required].map(async ({ contrastiveLoss }, i) => {
    const { loss } = await contrastiveLoss(matrix, matrix);
    settled.push(i);
    return loss;
  }),
);
const addons = new Set(readFileSync('/proc/self/maps', 'utf8').match(/\S+\/infcl[^/]*\.node$/gm));
const names = Object.keys(required);
console.log(
  JSON.stringify({
    addons: addons.size,
    names,
    same: names.filter((name) => imported[name] === required[name]),
    losses,
    settled,
  }),
);
