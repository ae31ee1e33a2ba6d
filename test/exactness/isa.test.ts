/**
 * Every instruction set against the float64 oracle, over the whole table of cases.ts. A set that this machine lacks
 * is reported as a skipped suite, never left out.
 */
import { loadBinding } from '../../lib/native/load';
import { denseLossAndGrad } from '../reference/dense';
import { caseInputs, caseName, exactCases } from './cases';
import type { CaseMessage } from './isa-child';
import { failures, judge } from './judge';
import { runIsa } from './run-isa';

const known = process.arch === 'x64' ? ['scalar', 'avx2', 'avx512'] : ['scalar'];
const { isas } = loadBinding().cpuInfo();

// Once, for all instruction sets: the oracle is the slow half of this suite.
const oracles = new Map<number, ReturnType<typeof denseLossAndGrad>>();
function oracleOf(index: number) {
  const exact = exactCases[index];
  const inputs = caseInputs(exact);
  if (!oracles.has(index)) {
    const options = { ...exact, labels: inputs.labels };
    oracles.set(index, denseLossAndGrad(inputs.queries, inputs.keys, options));
  }
  return { exact, inputs, oracle: oracles.get(index)! };
}

it('finds no instruction set that this suite does not know', () => {
  expect(known).toEqual(expect.arrayContaining(isas));
});

describe.each(known)('%s against the float64 oracle', (isa) => {
  if (!isas.includes(isa)) {
    it.skip(`${isa}: this machine does not have it`, () => {});
    return;
  }

  let messages: CaseMessage[] = [];
  beforeAll(async () => {
    messages = await runIsa(isa);
  });

  it('ran every case on the set it was told to', () => {
    expect(messages.length).toBe(exactCases.length);
    expect(new Set(messages.map((message) => message.isa))).toEqual(new Set([isa]));
  });

  it.each(exactCases.map((exact, index) => [caseName(exact), index] as const))('%s', (_, index) => {
    const { exact, inputs, oracle } = oracleOf(index);
    expect(failures(judge(exact, inputs, messages[index].output, oracle))).toEqual([]);
  });
});
