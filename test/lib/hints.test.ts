/**
 * Messages say what to do, also for users who know the words of another library. Messages stay short and
 * quick for any name or value. Every error has a code.
 */
import { plan } from '../../lib';
import { describe as describeValue } from '../../lib/describe';
import { readOptions } from '../../lib/loss/resolve';
import type { Features } from '../../lib/matrix/features';
import { fakeNative, matrix, thrownBy } from './fake-binding';
import { badName, badType, badValue, refuses } from './refusal-table';

refuses('words of other libraries', [
  badName('temperature', { temperature: 0.07 }, 'temperature in options; logitScale is 1 / temperature'),
  badName('tau', { tau: 0.07 }, 'logitScale is 1 / tau'),
  badName('scale', { scale: 20 }, 'the name here is logitScale'),
  badName('logit_scale', { logit_scale: 20 }, 'did you mean logitScale?'),
  badName('margin', { margin: 0.1 }, 'the name here is falseNegativeMargin'),
  badName('normalize', { normalize: true }, 'normalise the rows of queries and keys yourself first'),
  badName('l2_normalize', { l2_normalize: true }, 'normalise the rows'),
  badName('reduction', { reduction: 'sum' }, 'the loss is a mean; perRow: true returns the loss of each row'),
  badName('ignore_index', { ignore_index: -100 }, 'queryWeights 0 leaves a row out'),
  badName('batch_size', { batch_size: 8 }, 'chunkedStep takes the batch in chunks'),
  badName('constructor', { constructor: 1 }, 'Unknown name constructor in options; known are'),
  badValue('toString', { objective: 'toString' }, 'received toString of type string'),
  badValue('gpu', { backend: 'gpu' }, 'did you mean cuda?'),
  badValue('simclr', { objective: 'SimCLR' }, 'did you mean ntxent?'),
  badValue('NT-Xent', { objective: 'nt-xent' }, 'did you mean ntxent?'),
  badValue('bf16', { compute: 'bf16' }, 'did you mean bfloat16?'),
]);

const million = 'x'.repeat(1e6);

it.each<[string, () => unknown]>([
  ['an option', () => readOptions({ [million]: 1 })],
  ['an option further in', () => readOptions({ grad: { [million]: 1 } })],
  ['an option of plan', () => plan({ queries: 1, dim: 1, [million]: 1 } as never)],
  ['an objective', () => readOptions({ objective: million })],
  ['a direction', () => readOptions({ directions: [million] })],
  ['a backend', () => readOptions({ backend: million })],
  [
    'a dtype',
    () => fakeNative().functions.contrastiveLossSync({ ...matrix(1, 1), dtype: million } as never, null),
  ],
  ['a class', () => readOptions({ labels: { constructor: { name: million } } })],
  ['a function', () => readOptions({ grad: Object.defineProperty(() => {}, 'name', { value: million }) })],
  ['a number', () => readOptions({ threads: BigInt(`1${'0'.repeat(1e5)}`) })],
  [
    'a million undefined names',
    () => readOptions(Object.fromEntries(Array.from({ length: 1e6 }, (_, i) => [`x${i}`, undefined]))),
  ],
])('%s of a million characters: a short message, soon', (_, run) => {
  // some tenths of a second at most; a comparison letter by letter takes seconds, and so does a name for each name
  const spent = process.cpuUsage();
  const error = thrownBy(run);
  expect(error.code).toMatch(/^ERR_/);
  expect(error.message.length).toBeLessThan(500);
  expect(process.cpuUsage(spent).user).toBeLessThan(5e6);
});

const thrower = () => {
  throw new Error('not ours');
};
const revoked = (target: object) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

/** Things whose class cannot be told. */
const hostile: [string, () => unknown][] = [
  ['a getter of constructor that throws', () => Object.defineProperty({}, 'constructor', { get: thrower })],
  [
    'a constructor whose name throws',
    () => ({ constructor: Object.defineProperty({}, 'name', { get: thrower }) }),
  ],
  ['a class named by a Symbol', () => ({ constructor: { name: Symbol('name') } })],
  ['no prototype', () => Object.create(null)],
  ['a constructor that is null', () => ({ constructor: null })],
  ['a revoked Proxy', () => revoked({})],
  ['a revoked Proxy of an array', () => revoked([])],
  ['a revoked Proxy of a function', () => revoked(() => {})],
  ['a Proxy that throws', () => new Proxy({}, { get: thrower, has: thrower })],
];

describe.each(hostile)('%s', (_, make) => {
  it('is described', () => {
    expect(describeValue(make())).toMatch(/^(an instance of|a Proxy of|a revoked Proxy|function) ?/);
  });

  it.each(['threads', 'objective', 'labels', 'queryWeights', 'perRow', 'device', 'directions', 'signal'])(
    'as %s',
    (name) => {
      const options = { objective: 'infonce', [name]: make() };
      const outcome = thrownBy(() => readOptions(options)) as { code?: string; message: string };
      // what a getter throws is its owner's; all that infcl says has a code
      if (outcome.message !== 'not ours') expect(outcome.code).toMatch(/^ERR_/);
    },
  );
});

it.each([...hostile.filter(([name]) => !name.includes('throws'))])(
  '%s as features, data or shape',
  (_, make) => {
    const { functions } = fakeNative();
    const places = [make(), { data: make(), shape: [3, 4] }, { ...matrix(3, 4), shape: make() }];
    for (const features of places) {
      const error = thrownBy(() => functions.contrastiveLossSync(features as Features, matrix(3, 4)));
      expect(error.code).toMatch(/^ERR_/);
    }
  },
);

refuses('a revoked Proxy', [
  badType('as options', revoked({}), 'object for options but received a revoked Proxy'),
  badType(
    'as hard negatives',
    { hardNegatives: revoked({}) },
    'options.hardNegatives but received a revoked Proxy',
  ),
]);
