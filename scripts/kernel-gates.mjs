/**
 * What the order of machine instructions tells of a kernel, where counts tell nothing: waits for memory that the source
 * does not show. Each gate returns complaints, also when what it looks for is not there at all.
 */

/** Loads that a thread has under way before it uses the first: 8 sums of a gradient, or 8 parts of two loads each. */
const sumsAtOnce = 8;
const loadsOfPartsAtOnce = 16;

/** [opcode, how many in a row] of those that are named; what lies between them does not count. */
function runsOf(opcodes, wanted) {
  const runs = [];
  for (const opcode of opcodes) {
    if (!wanted.includes(opcode)) continue;
    const last = runs.at(-1);
    if (last?.[0] === opcode) last[1] += 1;
    else runs.push([opcode, 1]);
  }
  return runs;
}

/**
 * Hopper's products: no MEMBAR from which an HGMMA can be reached. It would hold up every step of the depth, or the
 * first. `flow` is of controlFlow() in cubin.mjs: in a loop an instruction that stands behind may come before.
 */
export function barrierFaults(flow) {
  const before = flow.map(() => []);
  for (const [index, { next }] of flow.entries()) for (const after of next) before[after].push(index);
  const pending = [...flow.keys()].filter((index) => flow[index].opcode === 'HGMMA');
  if (pending.length === 0) return ['no HGMMA'];
  const reaches = new Set();
  while (pending.length > 0)
    for (const index of before[pending.pop()]) {
      if (reaches.has(index)) continue;
      reaches.add(index);
      pending.push(index);
    }
  const barriers = [...reaches].filter((index) => flow[index].opcode === 'MEMBAR').length;
  return barriers > 0 ? [`${barriers} MEMBAR before an HGMMA, in its loop or on the way there`] : [];
}

/** Gradients: sums are written after at least 8 of them were read, and read again after at least 8 were written. */
export function gradientFaults(opcodes) {
  const runs = runsOf(opcodes, ['HMMA', 'HGMMA', 'LDG', 'STG']);
  const writes = runs.filter(([opcode]) => opcode === 'STG').length;
  if (writes === 0) return ['no STG'];
  const early = runs.filter(
    ([opcode, count], i) =>
      opcode === 'STG' && (count < sumsAtOnce || runs[i - 1]?.[0] !== 'LDG' || runs[i - 1][1] < sumsAtOnce),
  ).length;
  return early > 0 ? [`${early} of ${writes} runs of STG do not follow ${sumsAtOnce} LDG`] : [];
}

/** Folds of parts: 16 loads before the first sum in float64. */
export function foldFaults(opcodes) {
  const runs = runsOf(opcodes, ['LDG', 'DADD']);
  if (!runs.some(([opcode]) => opcode === 'DADD')) return ['no DADD'];
  const longest = Math.max(0, ...runs.filter(([opcode]) => opcode === 'LDG').map(([, count]) => count));
  return longest < loadsOfPartsAtOnce
    ? [`at most ${longest} LDG before a DADD, not ${loadsOfPartsAtOnce}`]
    : [];
}
