/** What `onnxEncoder` refuses before any chunk: wrong options, and options that do not fit the model. */
import { type OnnxEncoderOptions, onnxEncoder } from '../../lib/adapters/onnx';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { ort, port, sessionOf, Tensor } from './onnx-stand-in';

const ids = port('input_ids', 'int64', 'batch', 'sequence');
const mask = port('attention_mask', 'int64', 'batch', 'sequence');
const embedding = port('embedding', 'float32', 'batch', 8);
const tokens = port('last_hidden_state', 'float32', 'batch', 'sequence', 8);
const nothing = () => ({});

const session = sessionOf([ids, mask], [embedding, tokens], nothing);
const good = { ort, session, feeds: nothing, output: 'embedding' };
const withOutput = (...output: Parameters<typeof port>) => ({
  ...good,
  output: undefined,
  session: sessionOf([ids], [port(...output)], nothing),
});
/** A model of images: no mask among its inputs. */
const images = {
  ...good,
  output: undefined,
  session: sessionOf([port('pixels', 'float32', 'n', 3)], [tokens], nothing),
};

type Row = [what: string, options: unknown, code: string, message: string];

const wrongOptions: Row[] = [
  ['nothing', undefined, 'ERR_TYPE', 'Expected object for options but received undefined'],
  ['a typo', { ...good, outptu: 'x' }, 'ERR_OPTION', 'did you mean output?'],
  ['no module', { ...good, ort: undefined }, 'ERR_TYPE', 'Expected object for options.ort'],
  ['a part of the module', { ...good, ort: { InferenceSession: {} } }, 'ERR_TYPE', 'import * as ort'],
  ['no session', { ...good, session: undefined }, 'ERR_TYPE', 'Expected object for options.session'],
  ['a promise of a session', { ...good, session: Promise.resolve(session) }, 'ERR_TYPE', 'await the session'],
  ['a path', { ...good, session: 'model.onnx' }, 'ERR_TYPE', 'options.session'],
  ['another object', { ...good, session: {} }, 'ERR_TYPE', 'InferenceSession.create() resolves with'],
  ['an old session', { ...good, session: { run: nothing } }, 'ERR_TYPE', 'since ONNX Runtime 1.22'],
  [
    'metadata of numbers',
    { ...good, session: { ...session, outputMetadata: [1] } },
    'ERR_TYPE',
    'outputMetadata',
  ],
  [
    'metadata without a shape',
    { ...good, session: { ...session, inputMetadata: [{ name: 'x', isTensor: true, type: 'int64' }] } },
    'ERR_TYPE',
    'inputMetadata',
  ],
  ['feeds that are no function', { ...good, feeds: {} }, 'ERR_TYPE', 'Expected function for options.feeds'],
  [
    'a string for normalize',
    { ...good, normalize: 'yes' },
    'ERR_TYPE',
    'Expected boolean for options.normalize',
  ],
];

const wrongOutputs: Row[] = [
  ['a number', { ...good, output: 0 }, 'ERR_TYPE', 'Expected one of embedding, last_hidden_state'],
  ['no such output', { ...good, output: 'embeding' }, 'ERR_VALUE', 'did you mean embedding?'],
  ['no name where there are two', { ...good, output: undefined }, 'ERR_TYPE', 'embedding, last_hidden_state'],
  ['int8', withOutput('x', 'int8', 'n', 8), 'ERR_DTYPE', 'received int8'],
  ['float64', withOutput('x', 'float64', 'n', 8), 'ERR_DTYPE', 'Cast'],
  ['bfloat16', withOutput('x', 'bfloat16', 'n', 8), 'ERR_DTYPE', 'Cast'],
  [
    'a sequence',
    { ...good, output: undefined, session: sessionOf([ids], [{ name: 'x', isTensor: false }], nothing) },
    'ERR_DTYPE',
    'Expected float32 or float16 for the element type of the output x',
  ],
  [
    'one dimension',
    withOutput('x', 'float32', 'n'),
    'ERR_SHAPE',
    'two or three dimensions (the output x is [n])',
  ],
  ['four dimensions', withOutput('x', 'float32', 'n', 3, 8, 8), 'ERR_SHAPE', '[n, 3, 8, 8]'],
];

const wrongPools: Row[] = [
  [
    'no pool',
    { ...good, output: 'last_hidden_state' },
    'ERR_TYPE',
    'mean, cls, first_token, last_token (the output',
  ],
  ['none', { ...good, output: 'last_hidden_state', pool: 'none' }, 'ERR_VALUE', 'options.pool'],
  ['another word', { ...good, output: 'last_hidden_state', pool: 'max' }, 'ERR_VALUE', 'one of mean, cls'],
  ['a function', { ...good, output: 'last_hidden_state', pool: nothing }, 'ERR_TYPE', 'options.pool'],
  [
    'a pool for [rows x dim]',
    { ...good, pool: 'mean' },
    'ERR_VALUE',
    'nothing or none (the output embedding is [batch, 8])',
  ],
  ['a mask without a pool', { ...good, mask: 'attention_mask' }, 'ERR_VALUE', 'no pool needs a mask'],
  [
    'a number for mask',
    { ...good, output: 'last_hidden_state', pool: 'mean', mask: 1 },
    'ERR_TYPE',
    'options.mask',
  ],
  ['mean without a mask', { ...images, pool: 'mean' }, 'ERR_TYPE', 'or null where every token counts'],
  ['last_token without a mask', { ...images, pool: 'last_token' }, 'ERR_TYPE', 'the model are pixels'],
];

test.each([...wrongOptions, ...wrongOutputs, ...wrongPools])('%s is refused', (_, options, code, message) => {
  expectError(
    thrownBy(() => onnxEncoder(options as OnnxEncoderOptions<string>)),
    { type: classOf[code] ?? RangeError, code, message },
  );
});

test.each([
  ['pool none where the output is [rows x dim]', { ...good, pool: 'none' as const }],
  ['mask null without a pool', { ...good, mask: null }],
  ['cls of a model without a mask', { ...images, pool: 'cls' as const }],
  ['mean of every token', { ...images, pool: 'mean' as const, mask: null }],
  ['an output without a name where there is one', { ...images, pool: 'cls' as const }],
  ['a model that states no shape', withOutput('x', 'float16')],
])('%s is accepted', (_, options) => {
  expect(Object.keys(onnxEncoder<string>(options))).toEqual(['encode']);
});

test('each option is read once, and the session before the first chunk', async () => {
  const reads: string[] = [];
  const watched = (prefix: string, object: object) => {
    const copy = {};
    for (const [name, value] of Object.entries(object)) {
      Object.defineProperty(copy, name, {
        enumerable: true,
        get() {
          reads.push(prefix + name);
          return value;
        },
      });
    }
    return copy;
  };
  const one = () => ({ y: new Tensor('float32', Float32Array.of(1, 2), [1, 2]) });
  const { calls, ...own } = sessionOf([port('x', 'float32', 'n', 1)], [port('y', 'float32', 'n', 2)], one);
  const feeds = () => ({ x: new Tensor('float32', Float32Array.of(1), [1, 1]) });
  const options = { ort, feeds, output: 'y', pool: undefined, mask: undefined, normalize: false };
  const given = watched('', { ...options, session: watched('session.', own) });
  const encoder = onnxEncoder<string>(given as OnnxEncoderOptions<string>);
  for (let i = 0; i < 2; i++) await encoder.encode('chunk');
  expect(calls).toHaveLength(2);
  const names = ['feeds', 'mask', 'normalize', 'ort', 'output', 'pool', 'session'];
  expect(reads.sort()).toEqual([...names, 'session.inputMetadata', 'session.outputMetadata', 'session.run']);
});
