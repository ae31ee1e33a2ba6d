/**
 * The options of a step are checked, name by name, before anything is encoded.
 */
import { chunkedStep } from '../../lib/trainer';
import { countingTower, expectStepRefused } from './refuse-step';

const aborted = AbortSignal.abort(new Error('stopped'));
const live = new AbortController().signal;
const hardNegatives = { keys: { data: new Float32Array(12), shape: [4, 3] }, perQuery: 2 };

/** A Proxy whose target is gone. */
function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

type Row = [what: string, added: object, code: string, message: string];

describe('options of a step', () => {
  test.each([
    ['nothing', undefined, 'ERR_TYPE', 'Expected object for options but received undefined'],
    ['null', null, 'ERR_TYPE', 'received null'],
    ['an array', [], 'ERR_TYPE', 'an instance of Array'],
    ['an empty object', {}, 'ERR_TYPE', 'Expected object for options.queries but received undefined'],
  ])('%s is refused', (_, options, code, message) => expectStepRefused(() => options, { code, message }));

  test.each<Row>([
    [
      'an option of the loss beside loss',
      { logitScale: 50 },
      'ERR_OPTION',
      'Unknown name logitScale in options',
    ],
    ['a typo', { losss: {} }, 'ERR_OPTION', 'did you mean loss?'],
    ['a typo in onProgress', { onprogress: () => {} }, 'ERR_OPTION', 'did you mean onProgress?'],
    ['a number for loss', { loss: 5 }, 'ERR_TYPE', 'Expected object for options.loss but received 5'],
    ['an array for loss', { loss: [] }, 'ERR_TYPE', 'options.loss'],
    ['null for loss', { loss: null }, 'ERR_TYPE', 'received null'],
    ['a controller for signal', { signal: new AbortController() }, 'ERR_TYPE', 'instance of AbortController'],
    ['a number for onProgress', { onProgress: 5 }, 'ERR_TYPE', 'Expected function for options.onProgress'],
    ['two signals', { signal: live, loss: { signal: aborted } }, 'ERR_VALUE', 'AbortSignal.any'],
  ])('%s is refused', (_, added, code, message) =>
    expectStepRefused((good) => ({ ...good, ...added }), { code, message }),
  );

  test('a signal that aborted before the call: nothing is encoded', async () => {
    const reason = new Error('stopped');
    const { tower, seen } = countingTower();
    const step = { queries: tower, keys: tower };
    await expect(chunkedStep({ ...step, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(chunkedStep({ ...step, loss: { signal: AbortSignal.abort(reason) } })).rejects.toBe(reason);
    expect(seen.calls).toBe(0);
  });
});

describe('options of the loss', () => {
  test.each<Row>([
    ['a typo', { logitscale: 20 }, 'ERR_OPTION', 'did you mean logitScale?'],
    ['a value of the wrong type', { logitScale: '20' }, 'ERR_TYPE', 'logitScale'],
    ['an impossible value', { logitScale: -1 }, 'ERR_VALUE', 'logitScale'],
    ['an unknown objective', { objective: 'infonse' }, 'ERR_VALUE', 'did you mean infonce?'],
    ['a bias without siglip', { logitBias: 1 }, 'ERR_VALUE', 'logitBias'],
    ['labels without an objective for them', { labels: new Int32Array(2) }, 'ERR_VALUE', 'labels'],
    ['a typo in grad', { grad: { querys: false } }, 'ERR_OPTION', 'did you mean queries?'],
    ['a typo in out', { out: { queryGrad: new Float32Array(6) } }, 'ERR_OPTION', 'did you mean queryGrads?'],
    ['a number for onProgress', { onProgress: 5 }, 'ERR_TYPE', 'onProgress'],
    ['a number for signal', { signal: 5 }, 'ERR_TYPE', 'signal'],
    ['a string for threads', { threads: '2' }, 'ERR_TYPE', 'threads'],
    ['a backend of no kind', { backend: 'gpu' }, 'ERR_VALUE', 'backend'],
    ['a string for grad.queries', { grad: { queries: 'no' } }, 'ERR_TYPE', 'received no of type string'],
    ['a bank', { grad: { keys: { rows: 1 } } }, 'ERR_ENCODER', 'return from backward at once'],
    ['results per row', { perRow: true }, 'ERR_NOT_IMPLEMENTED', 'call contrastiveLoss'],
    ['a string for perRow', { perRow: 'yes' }, 'ERR_TYPE', 'perRow'],
    ['trained constants', { hardNegatives }, 'ERR_VALUE', 'give a tower for them, options.hardNegatives'],
    [
      'a gradient of constants',
      { hardNegatives, grad: { hardNegatives: true } },
      'ERR_VALUE',
      'options.loss.hardNegatives are constant features',
    ],
    [
      'an output for hard negatives',
      { hardNegatives, grad: { hardNegatives: false }, out: { hardNegativeGrads: new Float32Array(12) } },
      'ERR_VALUE',
      'trains no hardNegatives tower',
    ],
    [
      'an output of a tower that is not trained',
      { grad: { keys: false }, out: { keyGrads: new Float32Array(6) } },
      'ERR_VALUE',
      'Expected no options.loss.out.keyGrads',
    ],
    ['an output of another type', { out: { keyGrads: new Float64Array(6) } }, 'ERR_TYPE', 'out.keyGrads'],
    ['two frozen towers', { grad: { queries: false, keys: false } }, 'ERR_ENCODER', 'call contrastiveLoss'],
  ])('%s is refused before anything is encoded', (_, loss, code, message) =>
    expectStepRefused(
      (good) => ({ ...good, loss: { objective: loss === null ? 'clip' : undefined, ...loss } }),
      {
        code,
        message,
      },
    ),
  );
});

describe('a tower', () => {
  test.each<Row>([
    ['a name of no meaning', { batch: 1 }, 'ERR_OPTION', 'Unknown name batch in options.queries'],
    ['frozen', { frozen: true }, 'ERR_OPTION', 'loss: { grad: { queries: false } }'],
    ['a typo', { row: 2 }, 'ERR_OPTION', 'did you mean rows?'],
    ['no encoder', { encoder: undefined }, 'ERR_ENCODER', 'received undefined'],
    [
      'a revoked Proxy of an encoder',
      { encoder: revoked({ encode() {} }) },
      'ERR_ENCODER',
      'received a revoked Proxy',
    ],
    ['an encoder that cannot encode', { encoder: {} }, 'ERR_ENCODER', 'options.queries.encoder.encode'],
    [
      'a backward that is no function',
      { encoder: { encode() {}, backward: true } },
      'ERR_ENCODER',
      'Expected function for options.queries.encoder.backward but received true',
    ],
    [
      'a random state that is no function',
      { encoder: { encode() {}, randomState: 1, restoreRandomState() {} } },
      'ERR_ENCODER',
      'encoder.randomState',
    ],
    [
      'half of a random state',
      { encoder: { encode() {}, restoreRandomState() {} } },
      'ERR_ENCODER',
      'randomState is missing',
    ],
    ['an array for chunks', { chunks: ['chunk'] }, 'ERR_CHUNKS', 'write chunks: () => [...]'],
    ['a revoked Proxy for chunks', { chunks: revoked([]) }, 'ERR_CHUNKS', 'received a revoked Proxy'],
    ['no chunks', { chunks: undefined }, 'ERR_CHUNKS', 'received undefined'],
    ['a string for rows', { rows: '2' }, 'ERR_TYPE', 'received 2 of type string'],
    ['a BigInt for rows', { rows: 2n }, 'ERR_TYPE', 'received 2 of type bigint'],
    ['no rows', { rows: 0 }, 'ERR_VALUE', 'positive integer'],
    ['half a row', { rows: 1.5 }, 'ERR_VALUE', 'positive integer'],
  ])('with %s is refused', (_, added, code, message) =>
    expectStepRefused((good) => ({ ...good, queries: { ...good.queries, ...added } }), { code, message }),
  );

  test('whose gradient is asked for needs a backward method', () =>
    expectStepRefused(
      ({ queries, keys }) => ({
        queries: { ...queries, encoder: { encode: queries.encoder.encode } },
        keys,
        loss: { grad: { queries: true } },
      }),
      { code: 'ERR_ENCODER', message: 'Expected a backward method on options.queries.encoder' },
    ));
});
