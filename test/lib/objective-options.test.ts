/**
 * Options that an objective cannot honour: a table of every such option against every objective, so that
 * neither list can grow without the other.
 */
import type { Objective } from '../../lib';
import { expectRefused, fakeNative, matrix } from './fake-binding';

const queries = () => matrix(3, 4);
const keys = () => matrix(3, 4);
const hardNegatives = () => ({ keys: matrix(3, 4), perQuery: 1 });

const objectives: readonly Objective[] = ['clip', 'infonce', 'ntxent', 'supcon', 'siglip'];

const lists = { offsets: Int32Array.of(0, 1, 2, 3), keys: Int32Array.of(0, 1, 1) };

/** An option that is right in itself, and the objectives it means something for. */
const honoured: [name: string, options: object, by: readonly Objective[]][] = [
  ['logitBias', { logitBias: -1 }, ['siglip']],
  ['labels', { labels: Int32Array.of(0, 1, 1) }, ['clip', 'infonce', 'supcon']],
  [
    'queryIds',
    { queryIds: new Int32Array(3), keyIds: new Int32Array(3) },
    ['clip', 'infonce', 'ntxent', 'siglip'],
  ],
  [
    'excludePairs',
    { excludePairs: { offsets: Int32Array.of(0, 1, 1, 1), keys: Int32Array.of(2) } },
    ['clip', 'infonce', 'siglip'],
  ],
  ['falseNegativeMargin', { falseNegativeMargin: 0 }, ['clip', 'infonce', 'ntxent']],
  ['guide', { guide: { queries: matrix(3, 2), keys: matrix(3, 2) } }, ['clip', 'infonce']],
  [
    'teacher',
    { teacher: { queries: matrix(3, 2), keys: matrix(3, 2), logitScale: 1, weight: 1 } },
    ['clip', 'infonce'],
  ],
  ['hardNegatives', { hardNegatives: hardNegatives() }, ['clip', 'infonce']],
  ['directions', { directions: ['queryToKey'] }, ['infonce']],
  ['partition', { partition: 'joint', directions: ['queryToKey'] }, ['infonce']],
  ['labelSmoothing', { labelSmoothing: 0 }, ['clip', 'infonce', 'ntxent']],
  ['queryWeights', { queryWeights: Float32Array.of(1, 0, 2) }, ['clip', 'infonce', 'ntxent', 'siglip']],
  ['hardness', { hardness: { strength: 1, on: 'inBatch' } }, ['clip', 'infonce', 'ntxent']],
];

describe.each(honoured)('%s', (name, options, by) => {
  const needed = (objective: Objective) =>
    objective === 'supcon' ? { objective, labels: Int32Array.of(0, 1, 1) } : { objective };
  // clip takes labels as lists alone
  const given = (objective: Objective) =>
    objective === 'clip' && name === 'labels' ? { labels: lists } : options;

  it.each(objectives.filter((objective) => by.includes(objective)))(
    'reaches the native side with %s',
    (objective) => {
      const { functions, requests } = fakeNative();
      functions.contrastiveLossSync(queries(), keys(), { ...needed(objective), ...given(objective) });
      expect(requests).toHaveLength(1);
    },
  );

  it.each(objectives.filter((objective) => !by.includes(objective)))('is refused with %s', (objective) =>
    expectRefused(
      { queries: queries(), keys: keys(), options: { ...needed(objective), ...options } },
      {
        type: RangeError,
        code: 'ERR_VALUE',
        // where two options are refused, either may be named
        message: new RegExp(
          `^Expected no options\\.\\w+ for objective '${objective}' but received some; it belongs to `,
        ),
      },
    ),
  );

  it('is named in the refusal', () => {
    const objective = objectives.find((candidate) => !by.includes(candidate))!;
    return expectRefused(
      {
        queries: queries(),
        keys: keys(),
        options: { ...needed(objective), [name]: Object.entries(options)[0]![1] },
      },
      {
        type: RangeError,
        code: 'ERR_VALUE',
        message: `Expected no options.${name} for objective '${objective}' but received some; it belongs to ${by.join(', ')}`,
      },
    );
  });
});
