/**
 * Features on a device are refused, and the message says how to copy them to the host. No device is here: the
 * binding is one that only answers.
 */
jest.mock('../../lib/native/load', () => ({ loadBinding: jest.fn() }));

import { DeviceMatrix, gatherRows } from '../../lib';
import {
  alignment,
  effectiveRank,
  linearProbe,
  mineHardNegatives,
  ranks,
  topK,
  zeroShotAccuracy,
} from '../../lib/evaluation';
import type { HostFeatures } from '../../lib/matrix/host-matrix';
import type { DeviceHandle } from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';
import { fakeNative } from '../lib/fake-binding';

const { binding } = fakeNative({
  cudaInfo: () => ({ available: true, reason: '', devices: ['no real device'] }),
  wrapDevice: () => ({}) as DeviceHandle,
});
jest.mocked(loadBinding).mockReturnValue(binding);

const matrix = DeviceMatrix.wrap({
  pointer: 4096n,
  shape: [2, 2],
  dtype: 'float32',
}) as unknown as HostFeatures;
const labels = Int32Array.of(0, 1);
const host = { data: new Float32Array(4), shape: [2, 2] };

it.each([
  ['x', () => alignment(matrix, matrix)],
  ['x', () => effectiveRank(matrix)],
  ['features', () => zeroShotAccuracy(matrix, matrix, labels)],
  ['queries', () => topK(matrix, matrix, 1)],
  ['queries', () => ranks(matrix, matrix)],
  ['train', () => linearProbe(matrix, labels, matrix, labels, { l2: 1 })],
  ['queries', () => mineHardNegatives(matrix, host, { count: 1 })],
  ['keys', () => mineHardNegatives(host, matrix, { count: 1 })],
  ['keys[0].keys', () => mineHardNegatives(host, [{ firstKey: 0, keys: matrix }], { count: 1 })],
])('%s on a device', async (name, run) => {
  await expect(run()).rejects.toMatchObject({
    code: 'ERR_TYPE',
    message: expect.stringContaining(`data: await ${name}.toHost(), shape: ${name}.shape`),
  });
});

it('gatherRows on a device', () => {
  expect(() => gatherRows(matrix, labels)).toThrow('await features.toHost(), shape: features.shape');
});
