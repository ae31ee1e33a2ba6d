/** Values that the remaining options cannot have are refused before native work starts. */
import { badName, badType, badValue, notYet, refuses } from './refusal-table';

refuses('options', [
  badType('null', null, 'object for options but received null'),
  badType('a number', 3, 'object for options but received 3 of type number'),
  badType('an array', [], 'object for options but received an instance of Array'),
  badType(
    'a typed array',
    new Float32Array(1),
    'object for options but received an instance of Float32Array',
  ),
  badName('a typo', { logitscale: 1 }, 'Unknown name logitscale in options; did you mean logitScale?'),
  badName(
    'nothing like a name',
    { qqqqqqqqqqqqq: 1 },
    'Unknown name qqqqqqqqqqqqq in options; known are objective, logitScale',
  ),
  badType(
    'a group of another kind',
    { group: {} },
    'ProcessGroup, such as those of threadGroups in infcl/distributed and mpi in infcl/mpi for options.group',
  ),
]);

refuses('objective', [
  badValue(
    'a typo',
    { objective: 'inconce' },
    'one of clip, infonce, ntxent, supcon, siglip for options.objective but received inconce of type string; did you mean infonce?',
  ),
  badType('null', { objective: null }, 'for options.objective but received null'),
]);

refuses('logitScale', [
  badValue('zero', { logitScale: 0 }, 'number from 1e-25 to 1e+30 for options.logitScale but received 0'),
  badValue('negative', { logitScale: -1 }, 'but received -1 of type number'),
  badValue('NaN', { logitScale: Number.NaN }, 'but received NaN'),
  badValue('Infinity', { logitScale: Number.POSITIVE_INFINITY }, 'but received Infinity'),
  badValue('so small that masks would leak', { logitScale: 9e-26 }, 'but received 9e-26'),
  badValue('so large that float32 is left', { logitScale: 1.1e30 }, 'but received 1.1e+30'),
  badType('a string', { logitScale: '1' }, 'but received 1 of type string'),
  badType('a bigint', { logitScale: 1n }, 'but received 1 of type bigint'),
]);

refuses('logitBias', [
  badValue('NaN', { objective: 'siglip', logitBias: Number.NaN }, 'finite number for options.logitBias'),
  badType('null', { objective: 'siglip', logitBias: null }, 'options.logitBias but received null'),
]);

refuses('perRow, compute and gradientFilter', [
  badType('perRow 1', { perRow: 1 }, 'boolean for options.perRow but received 1'),
  notYet(
    'float16',
    { compute: 'float16' },
    "options.compute 'float16' is not in this version of infcl: expected one of float32, bfloat16",
  ),
  badValue('float64', { compute: 'float64' }, 'one of float32, bfloat16 for options.compute'),
  badValue('a filter of one', { gradientFilter: 1 }, 'number from 0 to below 1 for options.gradientFilter'),
]);

refuses('resources', [
  badValue('no threads', { threads: 0 }, 'positive integer up to 1024 for options.threads but received 0'),
  badValue('negative threads', { threads: -1 }, 'options.threads but received -1 of type number'),
  badValue('half a thread', { threads: 1.5 }, 'options.threads but received 1.5'),
  badValue('a byte count', { threads: 65536 }, 'options.threads but received 65536'),
  badType('threads in words', { threads: 'all' }, 'options.threads but received all of type string'),
  badValue(
    'no workspace',
    { workspaceBytes: 0 },
    'positive integer for options.workspaceBytes but received 0',
  ),
  badValue(
    'a fraction of a byte',
    { workspaceBytes: 1e6 + 0.5 },
    'options.workspaceBytes but received 1000000.5',
  ),
  badType(
    'a workspace in words',
    { workspaceBytes: '64 MiB' },
    'options.workspaceBytes but received 64 MiB of type string',
  ),
  badValue(
    'an unknown backend',
    { backend: 'gpu' },
    'one of auto, cpu, cuda for options.backend but received gpu',
  ),
  badValue('a negative device', { device: -1 }, 'non-negative integer for options.device'),
  badType('a named device', { device: 'cuda:0' }, 'options.device but received cuda:0 of type string'),
]);

refuses('signal and onProgress', [
  badType(
    'a controller',
    { signal: new AbortController() },
    'AbortSignal for options.signal but received an instance of AbortController',
  ),
  badType('a look-alike', { signal: { aborted: false } }, 'AbortSignal for options.signal'),
  badType(
    'a signal that nobody can stop listening to',
    { signal: { aborted: false, addEventListener() {}, throwIfAborted() {} } },
    'AbortSignal for options.signal',
  ),
  badType('null', { signal: null }, 'AbortSignal for options.signal but received null'),
  badType(
    'a generator of progress',
    { onProgress: {} },
    'function for options.onProgress but received an instance of Object',
  ),
]);
