/** Shapes and values of cases.ts, on every instruction set. */
import { loadBinding } from '../../lib/native/load';
import { describeAgainstOracle, knownIsas } from './against-oracle';

it('finds no instruction set that this suite does not know', () => {
  expect(knownIsas).toEqual(expect.arrayContaining(loadBinding().cpuInfo().isas));
});

describeAgainstOracle('shapes');
