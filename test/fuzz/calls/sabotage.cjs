/**
 * A library that is broken on purpose, to see that random calls find what is broken: `node -r sabotage.cjs`,
 * with the kind of defect in RANDOM_CALLS_SABOTAGE.
 *
 * Refuses to touch files: the defect is put over the functions of the loaded package.
 */

const path = require.resolve('../../../dist/index.js');

const lossNames = [
  'contrastiveLoss',
  'contrastiveLossAndGrad',
  'contrastiveLossSync',
  'contrastiveLossAndGradSync',
];

/** Errors after a call that was fulfilled; `name` is that of the function. */
const afterCall = {
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  exit: () => process.exit(0),
  loop: () => {
    for (;;);
  },
  'no code': () => {
    throw new TypeError('a defect');
  },
  'code of a defect': () => {
    throw Object.assign(new Error('a defect'), { code: 'ERR_INTERNAL' });
  },
  'wrong class': () => {
    throw Object.assign(new Error('a defect'), { code: 'ERR_TYPE' });
  },
  'long message': () => {
    throw Object.assign(new TypeError('x'.repeat(1e5)), { code: 'ERR_TYPE' });
  },
  'refuses valid calls': () => {
    throw Object.assign(new RangeError('a defect'), { code: 'ERR_VALUE' });
  },
  'not finite': (result) => ({ ...result, loss: Number.NaN }),
  'other bits': (result, name) => ({
    ...result,
    loss: result.loss * (name.endsWith('Sync') ? 1 : 1 + 1e-15),
  }),
  'beyond the end': (result) => {
    const { buffer, byteOffset, byteLength } = result.queryGrads ?? new Float32Array(1);
    const bytes = new Uint8Array(buffer);
    if (byteOffset + byteLength < bytes.length) bytes[byteOffset + byteLength] ^= 1;
    return result;
  },
  'unhandled rejection': (result) => {
    Promise.reject(new Error('a defect'));
    return result;
  },
  warning: (result) => {
    process.emitWarning('a defect');
    return result;
  },
  'left running': (result) => {
    setInterval(() => {}, 1000);
    return result;
  },
  'never settles': (result, name) => (name.endsWith('Sync') ? result : new Promise(() => {})),
};

const kind = process.env.RANDOM_CALLS_SABOTAGE;
if (kind !== undefined && process.argv[1]?.endsWith('batch.mjs')) {
  const usual = require(path);
  const broken = { ...usual };
  let calls = 0;
  const spoil = (result, name) => (calls++ > 5 ? afterCall[kind](result, name) : result);
  for (const name of lossNames) {
    broken[name] = name.endsWith('Sync')
      ? (...args) => spoil(usual[name](...args), name)
      : async (...args) => spoil(await usual[name](...args), name);
  }
  require.cache[path].exports = broken;
}
