/**
 * The self-test of the doctor: its stored values are those of the float64 reference, the addon agrees with them on
 * every instruction set, and one wrong value is found wherever it stands.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { runSelfTest } from '../../lib/doctor/self-test';
import { asDType, makeSelfTestProblem, selfTestCases } from '../../lib/doctor/self-test-cases';
import { searchCases, searchFailures } from '../../lib/doctor/self-test-search';
import type { StoredValues } from '../../lib/doctor/self-test-summary';
import { summarise } from '../../lib/doctor/self-test-summary';
import { selfTestValues } from '../../lib/doctor/self-test-values';
import { type TopK, topK } from '../../lib/evaluation';
import { loadBinding } from '../../lib/native/load';
import { narrow } from '../reference/narrow';
import { makeValues } from './make-self-test-values';

const cpu = { backend: 'cpu', device: 0 } as const;
const root = join(__dirname, '..', '..');

it('the stored values are those of the float64 reference', () => {
  expect(selfTestValues).toEqual(makeValues());
});

it('has every objective, and options that other problems lack', () => {
  expect(new Set(selfTestCases.map(({ objective }) => objective))).toEqual(
    new Set(['clip', 'infonce', 'ntxent', 'supcon', 'siglip']),
  );
  for (const name of ['directions', 'positives', 'excluded', 'guideDim', 'teacherDim'] as const)
    expect(selfTestCases.some(({ [name]: option }) => option !== undefined)).toBe(true);
});

describe.each(selfTestCases.map((given) => [given.name, given] as const))('%s', (_, given) => {
  it.each(['float16', 'bfloat16'] as const)('features are the same numbers in %s', (dtype) => {
    const { queries, keys } = makeSelfTestProblem(given);
    for (const matrix of [queries, keys]) {
      const { bits, values } = narrow(matrix, dtype);
      expect(values.data).toEqual(matrix.data);
      expect(asDType(matrix, dtype)).toMatchObject({ data: bits.data, dtype });
    }
  });
});

it.each(loadBinding().cpuInfo().isas)('agrees on %s', (isa) => {
  const script = `
    const { runSelfTest } = require('./lib/doctor/self-test.ts');
    runSelfTest({ backend: 'cpu', device: 0 }).then((result) => console.log(JSON.stringify(result)));`;
  const register = join(root, 'test', 'child', 'register-typescript.cjs');
  const env = { ...process.env, INFCL_ISA: isa };
  const printed = execFileSync(process.execPath, ['-r', register, '-e', script], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  expect(JSON.parse(printed)).toMatchObject({ on: 'cpu', cases: 39, failures: [] });
});

/** The values with one number changed by a little more than the loosest bound of any variant allows. */
function seeded(name: string, change: (values: StoredValues) => void): Record<string, StoredValues> {
  const values = structuredClone(selfTestValues);
  change(values[name]!);
  return values;
}

describe('a wrong value is found in all four variants', () => {
  const changes: [string, (values: StoredValues) => void][] = [
    ['the loss', (values) => (values.loss += 3e-6 * Math.max(1, values.loss))],
    ['the accuracy', (values) => (values.accuracy += 1 / 701)],
    ['logitScaleGrad', (values) => (values.logitScaleGrad *= 1.05)],
    ['logitBiasGrad', (values) => (values.logitBiasGrad += 0.02)],
    ['queryGrads', (values) => (values.queryGrads.length *= 1.03)],
    ['keyGrads', (values) => (values.keyGrads.signedSums[3]! += 0.1 * values.keyGrads.length)],
  ];
  it.each(changes)('%s', async (name, change) => {
    const { failures } = await runSelfTest(cpu, seeded('siglip', change));
    expect(failures).toEqual(
      ['float32', 'float16', 'bfloat16', 'bfloat16, compute bfloat16'].map((variant) =>
        expect.stringMatching(new RegExp(`^siglip, ${variant}: ${name} `)),
      ),
    );
  });

  it('a small one in float32', async () => {
    const change = (values: StoredValues) => (values.queryGrads.length *= 1 + 3e-5);
    expect((await runSelfTest(cpu, seeded('clip', change))).failures).toContainEqual(
      expect.stringMatching(/^clip, float32: queryGrads has the length /),
    );
  });
});

it('a call that throws is a failure of its case', async () => {
  const { failures, cases } = await runSelfTest({ backend: 'cuda', device: 99 });
  expect(failures).toHaveLength(cases);
  expect(failures[0]).toMatch(/^clip, float32: (Backend 'cuda' cannot run here|Expected a device below)/);
});

describe('the search', () => {
  const all = ['float32', 'float16', 'bfloat16'];
  const failuresOf = (change: (found: TopK) => void) =>
    searchFailures(async (...args) => {
      const found = await topK(...args);
      change(found);
      return found;
    });

  it('agrees with the list of all scores', async () => {
    expect(await searchFailures()).toEqual([]);
    expect(searchCases).toBe(all.length);
  });

  it('has equal scores within the best keys: their order counts', async () => {
    const failures = await failuresOf(({ indices, scores }) => {
      const at = scores.findIndex((score, i) => i % 10 < 9 && score === scores[i + 1]);
      indices.subarray(at, at + 2).reverse();
    });
    expect(failures).toEqual(all.map((dtype) => expect.stringMatching(`^topK, ${dtype}: place .* has key `)));
  });

  it.each<[string, (found: TopK) => void]>([
    ['a wrong last key', ({ indices }) => indices.fill(0, indices.length - 1)],
    ['a wrong last score', ({ scores }) => scores.fill(0.5, scores.length - 1)],
  ])('finds %s', async (_, change) => {
    expect(await failuresOf(change)).toEqual(
      all.map((dtype) => expect.stringMatching(`^topK, ${dtype}: place 10 of query 60 `)),
    );
  });

  it('an error is a failure of its case', async () => {
    const failures = await searchFailures(async () => Promise.reject(new Error('no addon')));
    expect(failures).toEqual(all.map((dtype) => `topK, ${dtype}: no addon`));
  });
});

it('a summary sees an exchange of two elements', () => {
  const values = Float64Array.from({ length: 50 }, (_, at) => Math.sin(at));
  const exchanged = values.slice();
  [exchanged[3], exchanged[4]] = [values[4]!, values[3]!];
  const [before, after] = [summarise(values), summarise(exchanged)];
  expect(after.length).toBeCloseTo(before.length, 12);
  expect(after.signedSums).not.toEqual(before.signedSums);
});
