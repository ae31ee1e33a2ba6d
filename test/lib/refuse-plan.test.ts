/** What plan() refuses, before it loads the addon's planner. */
import type { PlanOptions } from '../../lib';
import { planOn } from '../../lib/loss/plan';
import { expectError, fakeNative, thrownBy } from './fake-binding';

const badType = { type: TypeError, code: 'ERR_TYPE' };
const badShape = { type: RangeError, code: 'ERR_SHAPE' };
const badValue = { type: RangeError, code: 'ERR_VALUE' };
it.each<[string, unknown, { type: typeof Error; code: string }, string]>([
  ['nothing', undefined, badType, 'object for options but received undefined'],
  ['no queries', { dim: 4 }, badType, 'positive integer for options.queries but received undefined'],
  ['no dim', { queries: 4 }, badType, 'positive integer for options.dim but received undefined'],
  ['zero queries', { queries: 0, dim: 4 }, badValue, 'positive integer for options.queries but received 0'],
  [
    'keys without partners',
    { queries: 4, keys: 5, dim: 4, objective: 'ntxent' },
    { type: RangeError, code: 'ERR_SHAPE' },
    "as many keys as queries (4) for objective 'ntxent' but received 5",
  ],
  ['no keys', { queries: 4, keys: 0, dim: 4 }, badValue, 'positive integer for options.keys but received 0'],
  ['an objective', { queries: 4, dim: 4, objective: 'triplet' }, badValue, 'for options.objective'],
  ['half a key', { queries: 4, dim: 4, keys: 0.5 }, badValue, 'options.keys but received 0.5'],
  ['too many queries', { queries: 2 ** 53 - 1, dim: 1 }, badShape, '1125899906842624 features'],
  ['too many dims', { queries: 1000, dim: 2 ** 53 - 1 }, badShape, '(1000 + 1000) * 9007199254740991'],
  [
    'too many keys',
    { queries: 4, keys: 2 ** 50, dim: 1 },
    badShape,
    'but received (4 + 1125899906842624) * 1',
  ],
  [
    'too much of everything',
    { queries: 2 ** 52, dim: 2 ** 52, backend: 'cpu' },
    badShape,
    'more than any memory holds',
  ],
  [
    'a dtype',
    { queries: 4, dim: 4, dtype: 'float64' },
    badValue,
    'one of float32, float16, bfloat16 for options.dtype',
  ],
  ['gradient 1', { queries: 4, dim: 4, gradient: 1 }, badType, 'boolean for options.gradient'],
  ['no threads', { queries: 4, dim: 4, threads: 0 }, badValue, 'options.threads but received 0'],
  [
    'a backend',
    { queries: 4, dim: 4, backend: 'tpu' },
    badValue,
    'one of auto, cpu, cuda for options.backend',
  ],
  [
    'the word of a matrix',
    { rows: 4, dim: 4 },
    { type: TypeError, code: 'ERR_OPTION' },
    'Unknown name rows in options; the numbers of rows that plan takes are queries and keys',
  ],
  [
    'a typo',
    { queries: 4, dims: 4 },
    { type: TypeError, code: 'ERR_OPTION' },
    'Unknown name dims in options; did you mean dim?',
  ],
  [
    'ranks of a GPU',
    { queries: 4, dim: 4, ranks: 2, backend: 'cuda' },
    { type: Error, code: 'ERR_NOT_IMPLEMENTED' },
    "options.ranks on backend 'cuda' is not in this version",
  ],
  [
    'ranks beside a guide',
    { queries: 4, dim: 4, ranks: 2, guide: { dim: 3 } },
    { type: Error, code: 'ERR_NOT_IMPLEMENTED' },
    'options.guide beside options.ranks is not in this version',
  ],
  [
    'ranks beside a teacher',
    { queries: 4, dim: 4, ranks: 2, teacher: { dim: 3 } },
    { type: Error, code: 'ERR_NOT_IMPLEMENTED' },
    'options.teacher beside options.ranks is not in this version',
  ],
  ['no rank', { queries: 4, dim: 4, ranks: 0 }, badValue, 'for options.ranks but received 0'],
  [
    'more ranks than rows',
    { queries: 4, dim: 4, ranks: 5 },
    badValue,
    'Expected at least 5 for options.queries, a row for each rank, but received 4',
  ],
  [
    'ranks without their number',
    { queries: 4, dim: 4, ranks: { bytesPerSecond: 1e9 } },
    { type: TypeError, code: 'ERR_TYPE' },
    'for options.ranks.count but received undefined',
  ],
  [
    'a network that stands still',
    { queries: 4, dim: 4, ranks: { count: 2, bytesPerSecond: 0 } },
    badValue,
    'for options.ranks.bytesPerSecond but received 0',
  ],
  [
    'a word that ranks do not have',
    { queries: 4, dim: 4, ranks: { count: 2, bandwidth: 1 } },
    { type: TypeError, code: 'ERR_OPTION' },
    'Unknown name bandwidth in options.ranks',
  ],
  [
    'cuda',
    { queries: 4, dim: 4, backend: 'cuda' },
    { type: Error, code: 'ERR_BACKEND_UNAVAILABLE' },
    "Backend 'cuda' cannot run here: no device at all",
  ],
  [
    'a guide of an objective without one',
    { queries: 4, dim: 4, objective: 'siglip', guide: { dim: 4 } },
    badValue,
    "no options.guide for objective 'siglip' but received some; it belongs to clip, infonce",
  ],
  [
    'a teacher of an objective without one',
    { queries: 4, dim: 4, objective: 'ntxent', teacher: { dim: 4 } },
    badValue,
    "no options.teacher for objective 'ntxent'",
  ],
  [
    'a number as a guide',
    { queries: 4, dim: 4, guide: 4 },
    badType,
    'object for options.guide but received 4',
  ],
  [
    'a guide without dim',
    { queries: 4, dim: 4, guide: {} },
    badType,
    'positive integer for options.guide.dim but received undefined',
  ],
  [
    'a dtype of a teacher',
    { queries: 4, dim: 4, teacher: { dim: 4, dtype: 'int8' } },
    badValue,
    'one of float32, float16, bfloat16 for options.teacher.dtype',
  ],
  [
    'features as a guide',
    { queries: 4, dim: 4, guide: { dim: 4, keys: 4 } },
    { type: TypeError, code: 'ERR_OPTION' },
    'Unknown name keys in options.guide',
  ],
  [
    'a teacher too wide',
    { queries: 1000, dim: 1, teacher: { dim: 2 ** 50 } },
    badShape,
    'options.teacher.dim, which is more than any memory holds',
  ],
  [
    'a guide on a device',
    { queries: 4, dim: 4, guide: { dim: 4 }, backend: 'cuda' },
    { type: Error, code: 'ERR_NOT_IMPLEMENTED' },
    "options.guide is not in this version of infcl for backend 'cuda'",
  ],
  [
    'too little',
    { queries: 4, dim: 4, workspaceBytes: 1023 },
    { type: RangeError, code: 'ERR_WORKSPACE' },
    'at least 1024 for options.workspaceBytes but received 1023',
  ],
])('%s is refused', (_, options, thrown, message) => {
  const { binding } = fakeNative();
  expectError(
    thrownBy(() => planOn(() => binding, options as PlanOptions)),
    { ...thrown, message },
  );
});
