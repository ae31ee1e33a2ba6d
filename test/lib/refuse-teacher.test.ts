/** Values that the option `teacher` cannot have, and calls that cannot have a teacher, are refused before any work. */
import { refuseCpuOptions } from '../../lib/loss/cpu-options';
import { matrix, thrownBy } from './fake-binding';
import { badName, badShape, badType, badValue, notYet, refuses } from './refusal-table';

const numbers = { logitScale: 10, weight: 0.5 };
const teacher = (change: object = {}) => ({
  queries: matrix(3, 2),
  keys: matrix(3, 2),
  ...numbers,
  ...change,
});

refuses('teacher', [
  badType('a number', { teacher: 0.1 }, 'object for options.teacher but received 0.1'),
  badName(
    'an unknown name',
    { teacher: teacher({ wieght: 1 }) },
    'Unknown name wieght in options.teacher; did you mean weight?',
  ),
  badType('no queries', { teacher: { keys: matrix(3, 2), ...numbers } }, 'for options.teacher.queries'),
  badType('no keys', { teacher: { queries: matrix(3, 2), ...numbers } }, 'for options.teacher.keys'),
  badType('no scale', { teacher: teacher({ logitScale: undefined }) }, 'for options.teacher.logitScale'),
  badType('no weight', { teacher: teacher({ weight: undefined }) }, 'for options.teacher.weight'),
  badValue(
    'a scale of 0',
    { teacher: teacher({ logitScale: 0 }) },
    'number from 1e-25 to 1e+30 for options.teacher.logitScale but received 0',
  ),
  badValue(
    'a weight of 0',
    { teacher: teacher({ weight: 0 }) },
    'positive number up to 1e+30 for options.teacher.weight',
  ),
  badValue(
    'a negative weight',
    { teacher: teacher({ weight: -1 }) },
    'for options.teacher.weight but received -1',
  ),
  badShape(
    'fewer queries',
    { teacher: teacher({ queries: matrix(2, 2) }) },
    '[3, 2] (one row per query) for options.teacher.queries but received [2, 2]',
  ),
  badShape(
    'two widths',
    { teacher: teacher({ keys: matrix(3, 4) }) },
    '[3, 2] (one row per key, of the width of teacher.queries) for options.teacher.keys but received [3, 4]',
  ),
  badValue(
    'beside hard negatives',
    { teacher: teacher(), hardNegatives: { keys: matrix(3, 4), perQuery: 1 } },
    'no options.hardNegatives beside options.teacher but received some',
  ),
  badValue(
    'beside hardness',
    { teacher: teacher(), hardness: { strength: 1, on: 'inBatch' } },
    'no options.hardness beside options.teacher',
  ),
  badValue(
    'beside directions',
    { teacher: teacher(), directions: ['queryToKey'] },
    'no options.directions beside options.teacher',
  ),
  notYet(
    'on another backend',
    { backend: 'cuda', teacher: teacher() },
    "options.teacher is not in this version of infcl for backend 'cuda': use backend: 'cpu', with features on the host",
  ),
]);

it('a teacher of a call whose features are on a device', () => {
  expect(thrownBy(() => refuseCpuOptions({ teacher: teacher() }, 'cuda'))).toMatchObject({
    code: 'ERR_NOT_IMPLEMENTED',
    message: expect.stringContaining("backend: 'cpu'"),
  });
});
