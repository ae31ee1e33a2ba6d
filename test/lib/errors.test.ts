/** Coded errors: each has the class its code says; what others throw is left alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codedError, type ErrorCode, fromNative, isErrorCode, isInfclError } from '../../lib/errors';
import { expectError, fakeNative, matrix, thrownBy } from './fake-binding';

const classes: Record<ErrorCode, typeof Error> = {
  ERR_TYPE: TypeError,
  ERR_VALUE: RangeError,
  ERR_DTYPE: TypeError,
  ERR_SHAPE: RangeError,
  ERR_OPTION: TypeError,
  ERR_BUFFER: TypeError,
  ERR_DETACHED: TypeError,
  ERR_DISPOSED: TypeError,
  ERR_OVERLAP: RangeError,
  ERR_CHUNKS: RangeError,
  ERR_ENCODER: TypeError,
  ERR_DATA: Error,
  ERR_STORE: Error,
  ERR_NOT_FINITE: RangeError,
  ERR_WORKSPACE: RangeError,
  ERR_OUT_OF_MEMORY: RangeError,
  ERR_NOT_IMPLEMENTED: Error,
  ERR_BACKEND_UNAVAILABLE: Error,
  ERR_DEVICE: Error,
  ERR_ISA: Error,
  ERR_ABORTED: Error,
  ERR_RANK_FAILED: Error,
  ERR_INTERNAL: Error,
};
const codes = Object.keys(classes) as ErrorCode[];

it.each(codes)('%s: class, code, message, cause', (code) => {
  const cause = { any: 'thing' };
  const error = codedError(code, 'what happened', cause);
  expectError(error, { type: classes[code], code, message: /^what happened$/ });
  expect(error.cause).toBe(cause);
  expect(Object.hasOwn(codedError(code, ''), 'cause')).toBe(false);
  expect(isErrorCode(code)).toBe(true);
});

it.each(['toString', 'ERR_OTHER', 'ENOENT', undefined, 3, null])('%p is not one of ours', (code) => {
  expect(isErrorCode(code)).toBe(false);
});

it('every code has a section in docs/troubleshooting.md, and every section a code', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'troubleshooting.md'), 'utf8');
  const sections = [...text.matchAll(/^#### `(ERR_\w+)`/gm)].map((match) => match[1]);
  expect(sections.sort()).toEqual([...codes].sort());
});

describe('native errors', () => {
  const native = Object.assign(new Error('too little'), { code: 'ERR_WORKSPACE' });
  const foreign = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  const failing = (error: unknown) => {
    const { functions } = fakeNative({
      contrastive: () => Promise.reject(error),
      contrastiveSync: () => {
        throw error;
      },
    });
    return functions;
  };

  it('become errors of their code, with the original as cause', async () => {
    const { contrastiveLoss, contrastiveLossSync } = failing(native);
    const thrown = { type: RangeError, code: 'ERR_WORKSPACE', message: /^too little$/ };
    const sync = thrownBy(() => contrastiveLossSync(matrix(3, 4), matrix(3, 4)));
    expectError(sync, thrown);
    expect(sync.cause).toBe(native);
    expectError(await contrastiveLoss(matrix(3, 4), matrix(3, 4)).catch((error) => error), thrown);
  });

  it('without a code of ours reach the caller as they are', async () => {
    const { contrastiveLoss, contrastiveLossSync } = failing(foreign);
    expect(fromNative(foreign)).toBe(foreign);
    expect(thrownBy(() => contrastiveLossSync(matrix(3, 4), matrix(3, 4)))).toBe(foreign);
    await expect(contrastiveLoss(matrix(3, 4), matrix(3, 4))).rejects.toBe(foreign);
  });
});

describe('errors of callers reach them as they are, even with a code of ours', () => {
  const ours = codedError('ERR_VALUE', "a caller's own");

  it.each([ours, new Error('plain'), 'a string', null, undefined])('from onProgress: %p', async (thrown) => {
    const { functions } = fakeNative();
    const onProgress = () => {
      throw thrown;
    };
    const outcome = await functions
      .contrastiveLoss(matrix(3, 4), matrix(3, 4), { onProgress })
      .then(() => ({ error: 'none' as unknown }))
      .catch((error: unknown) => ({ error }));
    expect(outcome.error).toBe(thrown);
  });

  it.each([ours, new Error('plain'), 'a string', null])('as reason of an abort: %p', async (reason) => {
    const { functions, requests } = fakeNative();
    const signal = AbortSignal.abort(reason);
    const outcome = await functions
      .contrastiveLoss(matrix(3, 4), matrix(3, 4), { signal })
      .then(() => ({ error: 'none' as unknown }))
      .catch((error: unknown) => ({ error }));
    expect(outcome.error).toBe(reason);
    expect(requests).toEqual([]);
  });
});

describe('isInfclError', () => {
  it.each(codes)('knows an error of code %s', (code) =>
    expect(isInfclError(codedError(code, ''))).toBe(true),
  );

  it('knows an error that a call threw', async () => {
    const { functions } = fakeNative();
    expect(isInfclError(thrownBy(() => functions.contrastiveLossSync(matrix(3, 4), null)))).toBe(true);
    const rejected = await functions.contrastiveLoss(matrix(3, 4), null).catch((error: unknown) => error);
    expect(isInfclError(rejected)).toBe(true);
  });

  const withCode = (code: unknown) => Object.assign(new Error('of others'), { code });
  const getter = () => {
    throw new Error('read');
  };
  const { proxy, revoke } = Proxy.revocable(codedError('ERR_TYPE', ''), {});
  revoke();
  it.each<[string, () => unknown]>([
    ['an error without code', () => new Error('of others')],
    ["an error of Node's", () => withCode('ERR_INVALID_ARG_TYPE')],
    ['an error whose code is a number', () => withCode(3)],
    ['an error whose code is the name of a method', () => withCode('toString')],
    ['what only looks like an error', () => ({ name: 'TypeError', message: '', code: 'ERR_TYPE' })],
    ['a string', () => 'ERR_TYPE'],
    ['undefined', () => undefined],
    ['null', () => null],
    ['a revoked Proxy', () => proxy],
    ['an error whose code throws', () => Object.defineProperty(new Error(), 'code', { get: getter })],
  ])('does not take %s for one', (_, make) => expect(isInfclError(make())).toBe(false));
});
