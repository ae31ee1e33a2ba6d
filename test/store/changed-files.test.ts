/**
 * Files that change while they are open: every call on them is an ERR_STORE that says what happened, and never a
 * signal. The process that runs these tests is the proof of the second part.
 */
import {
  appendFileSync,
  copyFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { contrastiveLoss, contrastiveLossAndGrad, contrastiveLossSync, type FeatureStore } from '../../lib';
import { digest, features } from '../lifecycle/problems';
import { storeOf, temporaryFolder } from './stores';

const path = temporaryFolder();
const [rows, dim] = [500, 40];
const x = features(rows, dim, 1);

const changes: [string, (file: string) => void, string][] = [
  ['truncated to nothing', (file) => truncateSync(file, 0), 'was truncated from 84096 to 0 bytes'],
  ['truncated within a page', (file) => truncateSync(file, 84095), 'was truncated'],
  ['longer', (file) => appendFileSync(file, 'x'), 'grew from 84096 to 84097 bytes'],
  ['removed', (file) => rmSync(file), 'was removed or renamed'],
  ['renamed', (file) => renameSync(file, `${file}.old`), 'was removed or renamed'],
  [
    'replaced by a copy',
    (file) => {
      copyFileSync(file, `${file}.new`);
      renameSync(`${file}.new`, file);
    },
    'was replaced by another file',
  ],
  ['replaced by nonsense', (file) => writeFileSync(file, 'nonsense'), 'was truncated'],
  ['touched', (file) => utimesSync(file, 1, 1), 'was written to'],
];

describe.each(changes)('a file that was %s', (_, change, message) => {
  let store: FeatureStore;
  beforeEach(async () => {
    store = await storeOf(path('file'), x);
    change(path('file'));
  });
  afterEach(() => store.dispose());

  it.each<[string, () => unknown]>([
    ['contrastiveLoss, as queries', () => contrastiveLoss(store, x)],
    ['contrastiveLossAndGrad, as keys', () => contrastiveLossAndGrad(x, store)],
    ['contrastiveLossSync, as both', async () => contrastiveLossSync(store, store)],
    ['as hard negatives', () => contrastiveLoss(x, x, { hardNegatives: { keys: store, perQuery: 1 } })],
    ['rows', async () => store.rows(0, 1)],
  ])('%s', async (_name, call) => {
    await expect(call()).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringContaining(message),
    });
    await expect(call()).rejects.toThrow(`${path('file')} `);
    await expect(call()).rejects.toThrow('dispose of the store, and open it again');
  });
});

it('a file that changes while a call runs fails the call, and the next one works', async () => {
  const large = features(4000, 64, 2);
  using store = await storeOf(path('running'), large);
  const call = contrastiveLossAndGrad(store, large);
  // while the call runs: the time alone changes, no page goes away
  setTimeout(() => utimesSync(path('running'), 1, 1), 20);
  await expect(call).rejects.toMatchObject({ code: 'ERR_STORE' });
  expect(digest(await contrastiveLossAndGrad(x, x))).toMatch(/^[0-9a-f]{64}$/);
});

it('a file that is truncated while a call waits fails the call', async () => {
  const large = features(3000, 64, 3);
  using store = await storeOf(path('waiting'), x);
  const first = contrastiveLossAndGrad(large, large);
  const waiting = contrastiveLoss(store, store);
  truncateSync(path('waiting'), 5000);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_STORE' });
  await first;
});

it('a file that was replaced before open is the new one', async () => {
  (await storeOf(path('replaced'), x)).dispose();
  const y = features(7, 3, 4);
  using store = await storeOf(path('replaced'), y);
  expect(store.rows().data).toEqual(y.data);
});
