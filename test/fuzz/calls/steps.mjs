/**
 * Valid training steps: towers that cut the features of a valid problem into chunks, with encoders that hand
 * out slices.
 *
 * Refuses what a step cannot do: results per row, banks.
 */

/** A chunk of a tower: which rows. Encoders refuse anything else. */
class Chunk {
  constructor(begin, end) {
    this.begin = begin;
    this.end = end;
  }
}

/**
 * `{ args, loss }`: the options of chunkedStep, and the options with which a loss function gives the
 * same numbers.
 */
export function makeStep(random, problem, own) {
  const { perRow, out, grad, hardNegatives, ...loss } = problem.options;
  const [queries, keys] = [makeTower(random, problem.queries, own), makeTower(random, problem.keys, own)];
  const frozen = random.chance(0.2) ? random.pick([queries, keys]) : undefined;
  if (frozen) delete frozen.encoder.backward;
  const args = { queries, keys, loss };
  if (hardNegatives && random.chance(0.6)) {
    const { keys: matrix, ...more } = hardNegatives;
    args.hardNegatives = { ...makeTower(random, matrix, own), ...more };
  } else if (hardNegatives) {
    args.loss = { ...loss, hardNegatives, grad: { hardNegatives: false } };
  }
  return { args, loss: { ...loss, ...(hardNegatives && { hardNegatives }) } };
}

function makeTower(random, matrix, own) {
  const [rows, dim] = matrix.shape ?? matrix.dims;
  const size = random.integer(1, rows);
  const { data, rowStride = dim } = matrix;
  const slice = ({ begin, end }) => {
    // a mutation has transferred the array away
    if (data.length === 0) own.throw();
    const { shape, dims, ...rest } = matrix;
    const part = data.subarray(begin * rowStride, (end - 1) * rowStride + dim);
    return { ...rest, data: part, shape: [end - begin, dim] };
  };
  const checked = (chunk) => (chunk instanceof Chunk ? chunk : own.throw());
  const later = random.chance(0.3);
  const encoder = {
    encode: (chunk) => (later ? Promise.resolve(slice(checked(chunk))) : slice(checked(chunk))),
    backward: (chunk, { data: grads }) => {
      checked(chunk);
      if (!grads.every(Number.isFinite)) throw new Error('a gradient of a step is not finite');
    },
  };
  if (random.chance(0.2)) {
    let state = 0;
    encoder.randomState = () => state++;
    encoder.restoreRandomState = (given) => {
      state = given;
    };
  }
  const chunks = () =>
    Array.from(
      { length: Math.ceil(rows / size) },
      (_, i) => new Chunk(i * size, Math.min(rows, (i + 1) * size)),
    );
  return { encoder, chunks, ...(random.chance(0.5) && { rows: random.pick([rows, 1, 1e10]) }) };
}

/** Replaces one method of a tower by one that misbehaves; says which and how. */
export function misbehave(random, args, { own, act, oddValue, again }) {
  const towers = [args.queries, args.keys, args.hardNegatives].filter((tower) => tower !== undefined);
  const tower = random.pick(towers);
  const [object, name] = random.pick([
    [tower.encoder, 'encode'],
    [tower.encoder, 'backward'],
    [tower.encoder, 'randomState'],
    [tower, 'chunks'],
  ]);
  const usual = object[name];
  const at = random.integer(0, 3);
  let count = 0;
  const [how, instead] = random.pick([
    ['returns an odd value', () => oddValue()],
    ['returns a promise of an odd value', async () => oddValue()],
    ['throws', () => own.throw()],
    ['rejects', async () => own.throw()],
    ['aborts', act.abort],
    ['calls a loss', act.call],
    ['starts a step on its own encoder', again],
    ['returns an iterator that misbehaves', () => oddIterator(random, own, oddValue)],
  ]);
  object[name] = function (...given) {
    return count++ === at || usual === undefined ? instead() : Reflect.apply(usual, this, given);
  };
  return `${name} ${how} at call ${at}`;
}

function oddIterator(random, own, oddValue) {
  let left = random.integer(0, 3);
  const end = { done: true };
  const next = random.pick([
    () => (left-- > 0 ? { value: oddValue() } : end),
    () => (left-- > 0 ? { value: Promise.resolve(new Chunk(0, 1)) } : end),
    () => (left-- > 0 ? { value: new Chunk(0, 1) } : own.throw()),
    () => (left-- > 0 ? { value: new Chunk(0, 1) } : oddPrimitive(random)),
    async () => (left-- > 0 ? { value: new Chunk(0, 1) } : own.throw()),
  ]);
  const close = random.pick([undefined, () => own.throw(), async () => own.throw(), () => ({})]);
  const symbol = random.pick([Symbol.iterator, Symbol.asyncIterator]);
  return { [symbol]: () => ({ next, return: close }) };
}

const oddPrimitive = (random) => random.pick([undefined, null, 5, 'done']);
