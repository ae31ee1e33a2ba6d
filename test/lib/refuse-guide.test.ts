/** Values that the option `guide` cannot have, and calls that cannot have a guide, are refused before any work. */
import { refuseCpuOptions } from '../../lib/loss/cpu-options';
import { matrix, thrownBy } from './fake-binding';
import { badName, badShape, badType, badValue, notYet, refuses } from './refusal-table';

const guide = (change: object = {}) => ({ queries: matrix(3, 2), keys: matrix(3, 2), ...change });
const hardNegatives = { keys: matrix(6, 4), perQuery: 2 };

refuses('guide', [
  badType('a number', { guide: 0.1 }, 'object for options.guide but received 0.1'),
  badType('a bare matrix', { guide: new Float32Array(6) }, 'object for options.guide'),
  badName(
    'an unknown name',
    { guide: guide({ marginn: 1 }) },
    'Unknown name marginn in options.guide; did you mean margin?',
  ),
  badType('no queries', { guide: { keys: matrix(3, 2) } }, 'for options.guide.queries'),
  badType('no keys', { guide: { queries: matrix(3, 2) } }, 'for options.guide.keys'),
  badType('an array', { guide: guide({ keys: [1, 2] }) }, 'for options.guide.keys'),
  badType('a margin of text', { guide: guide({ margin: '0' }) }, 'finite number for options.guide.margin'),
  badValue(
    'an endless margin',
    { guide: guide({ margin: Number.NaN }) },
    'finite number for options.guide.margin',
  ),
  badType('relative of a number', { guide: guide({ relative: 0.1 }) }, 'boolean for options.guide.relative'),
  badShape(
    'fewer queries',
    { guide: guide({ queries: matrix(2, 2) }) },
    '[3, 2] (one row per query) for options.guide.queries but received [2, 2]',
  ),
  badShape(
    'more keys',
    { guide: guide({ keys: matrix(4, 2) }) },
    '[3, 2] (one row per key, of the width of guide.queries) for options.guide.keys but received [4, 2]',
  ),
  badShape('two widths', { guide: guide({ keys: matrix(3, 4) }) }, 'options.guide.keys but received [3, 4]'),
  badValue(
    'hard negatives that the call has not',
    { guide: guide({ hardNegatives: matrix(6, 2) }) },
    'options.hardNegatives beside options.guide.hardNegatives but received none',
  ),
  badShape(
    'too few hard negatives',
    { hardNegatives, guide: guide({ hardNegatives: matrix(3, 2) }) },
    '[6, 2] (one row per hard negative, of the width of guide.queries) for options.guide.hardNegatives but received [3, 2]',
  ),
  badShape(
    'hard negatives of another width',
    { hardNegatives, guide: guide({ hardNegatives: matrix(6, 4) }) },
    'options.guide.hardNegatives but received [6, 4]',
  ),
  notYet(
    'on another backend',
    { backend: 'cuda', guide: guide() },
    "options.guide is not in this version of infcl for backend 'cuda': use backend: 'cpu', with features on the host",
  ),
]);

it('a guide of a call whose features are on a device', () => {
  expect(thrownBy(() => refuseCpuOptions({ guide: guide() }, 'cuda'))).toMatchObject({
    code: 'ERR_NOT_IMPLEMENTED',
    message: expect.stringContaining("backend: 'cpu'"),
  });
});
