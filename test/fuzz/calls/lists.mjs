/**
 * Parts of a valid problem that are lists or belong to another model: positives and excluded pairs of each query,
 * ragged rows of hard negatives, features of a guide and of a teacher.
 *
 * Refuses to choose which problem has which part: problems.mjs does.
 */

/** An array of the arena with these numbers. */
function place(arena, name, numbers) {
  const array = arena.take(name, Int32Array, numbers.length);
  array.set(numbers);
  return array;
}

/**
 * `{ offsets, keys }`, from `least` to `most` distinct keys of each query, in any order. `mayBeEmpty` tells by the
 * query whether its list may be empty although `least` is more.
 */
export function makeKeyLists(random, arena, name, { rows, keys, least, most, mayBeEmpty = () => false }) {
  const offsets = [0];
  const listed = [];
  for (let query = 0; query < rows; query++) {
    const empty = mayBeEmpty(query) && random.chance(0.5);
    const wanted = empty ? 0 : Math.min(keys, random.integer(least, most));
    const list = new Set();
    while (list.size < wanted) list.add(random.integer(0, keys - 1));
    listed.push(...list);
    offsets.push(listed.length);
  }
  return {
    offsets: place(arena, `${name}.offsets`, offsets),
    keys: place(arena, `${name}.keys`, listed),
  };
}

/** How many hard negatives each query has: as many, or any numbers with one at least in all. */
export function countHardNegatives(random, rows) {
  if (random.chance(0.6)) return new Array(rows).fill(random.integer(1, 4));
  const most = random.integer(1, 5);
  const counts = Array.from({ length: rows }, () => random.integer(0, most));
  counts[random.integer(0, rows - 1)] = most;
  return counts;
}

/** `{ perQuery }` or `{ offsets }`; equal counts have either form. */
export function hardNegativeRows(random, arena, counts) {
  const equal = counts.every((count) => count === counts[0]);
  if (equal && random.chance(0.8)) return { perQuery: counts[0] };
  const offsets = [0];
  for (const count of counts) offsets.push(offsets.at(-1) + count);
  return { offsets: place(arena, 'hard.offsets', offsets) };
}

/** `matrix(name, rows, dim)` makes features of another width than the call's. */
export function makeGuide(random, { rows, keys, hardRows, tame }, matrix) {
  const dim = random.integer(1, 40);
  const margin = () =>
    tame ? random.between(-0.5, 0.5) : random.pick([1, -1]) * 10 ** random.between(-40, 300);
  return {
    queries: matrix('guide.queries', rows, dim),
    keys: matrix('guide.keys', keys, dim),
    ...(hardRows > 0 && random.chance(0.5) && { hardNegatives: matrix('guide.hard', hardRows, dim) }),
    ...(random.chance(0.6) && { margin: margin() }),
    ...(random.chance(0.4) && { relative: random.chance(0.5) }),
  };
}

export function makeTeacher(random, { rows, keys, tame }, matrix) {
  const dim = random.integer(1, 40);
  return {
    queries: matrix('teacher.queries', rows, dim),
    keys: matrix('teacher.keys', keys, dim),
    logitScale: tame ? random.between(0.5, 100) : 10 ** random.between(-24.9, 29.9),
    weight: tame ? random.between(0.1, 3) : 10 ** random.between(-30, 29.9),
  };
}
