/** What the native side says of groups when lib is not there to check: an error with a code, never a crash. */
import { Worker } from 'node:worker_threads';
import type { GroupHandle } from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';

const binding = loadBinding();

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

it.each<[unknown, string]>([
  [{ ranks: 0 }, 'ERR_VALUE'],
  [{ ranks: 1025 }, 'ERR_VALUE'],
  [{}, 'ERR_TYPE'],
  [null, 'ERR_TYPE'],
])('threadGroups(%j) is %s', (request, code) => {
  expect(codeOf(() => binding.threadGroups(request as never))).toBe(code);
});

it.each<[string, unknown]>([
  ['null', null],
  ['an object', {}],
  ['a number', 3],
  ['undefined', undefined],
])('%s is no handle of a group', (_, handle) => {
  expect(codeOf(() => binding.closeGroup(handle as GroupHandle))).toBe('ERR_TYPE');
  const refusal = { message: '', started: false };
  expect(codeOf(() => binding.refuseGroupCall(handle as GroupHandle, refusal))).toBe('ERR_TYPE');
});

it('a closed group has no calls', () => {
  const [group] = binding.threadGroups({ ranks: 1 });
  binding.closeGroup(group!);
  binding.closeGroup(group!);
  const refusal = { message: '', started: false };
  expect(codeOf(() => binding.refuseGroupCall(group!, refusal))).toBe('ERR_DISPOSED');
});

it('a refusal settles once all ranks have come', async () => {
  const [left, right] = binding.threadGroups({ ranks: 2 });
  const refusals = [left!, right!].map((group) =>
    binding.refuseGroupCall(group, { message: 'no', started: false }),
  );
  await expect(Promise.all(refusals)).resolves.toEqual([undefined, undefined]);
  // a call that reached native code and met the others has nothing to refuse
  await binding.refuseGroupCall(left!, { message: 'no', started: true });
  for (const group of [left!, right!]) binding.closeGroup(group);
});

const waitingRank = `
  const { parentPort } = require('node:worker_threads');
  const { contrastiveLoss } = require('infcl');
  const { threadGroups } = require('infcl/distributed');
  const one = { data: new Float32Array(4).fill(1), shape: [2, 2] };
  const [group] = threadGroups(2);
  contrastiveLoss(one, one, { group });
  setImmediate(() => parentPort.postMessage('waits'));
`;

it('a worker ends although its rank waits for another', async () => {
  const worker = new Worker(waitingRank, { eval: true });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await expect(worker.terminate()).resolves.toBe(1);
});
