/**
 * One table against the float64 oracle, on every instruction set. A set that this machine lacks is reported as a
 * skipped suite, never left out.
 */
import { loadBinding } from '../../lib/native/load';
import { type DenseResult, denseLossAndGrad } from '../reference/dense';
import type { Problem } from '../reference/problems';
import { caseName, caseProblem, leniencyOf } from './cases';
import type { CaseMessage } from './isa-child';
import { failures, judge } from './judge';
import { runIsa } from './run-isa';
import { type TableName, tables } from './tables';

const isasOf: Partial<Record<NodeJS.Architecture, string[]>> = {
  x64: ['scalar', 'avx2', 'avx512'],
  arm64: ['scalar', 'neon'],
};
export const knownIsas = isasOf[process.arch] ?? ['scalar'];

export function describeAgainstOracle(name: TableName): void {
  const table = tables[name];
  const { isas } = loadBinding().cpuInfo();

  // Once, for all instruction sets: the oracle is the slow half of this suite.
  const oracles = new Map<number, { problem: Problem; oracle: DenseResult }>();
  function oracleOf(index: number) {
    if (!oracles.has(index)) {
      const problem = caseProblem(table[index]);
      const { queries, keys, options } = problem;
      oracles.set(index, { problem, oracle: denseLossAndGrad(queries, keys, options) });
    }
    return oracles.get(index)!;
  }

  describe.each(knownIsas)('%s against the float64 oracle', (isa) => {
    if (!isas.includes(isa)) {
      it.skip(`${isa}: this machine does not have it`, () => {});
      return;
    }

    let messages: CaseMessage[] = [];
    beforeAll(async () => {
      messages = await runIsa(isa, name);
    });

    it('ran every case on the set it was told to', () => {
      expect(messages.length).toBe(table.length);
      const wide = messages.filter((_, index) => table[index].compute === undefined);
      expect(new Set(wide.map((message) => message.isa))).toEqual(new Set([isa]));
      const narrow = messages.filter((_, index) => table[index].compute === 'bfloat16');
      expect(narrow.every((message) => message.isa === isa || message.isa === `${isa}bf16`)).toBe(true);
    });

    it.each(table.map((exact, index) => [caseName(exact), index] as const))('%s', (_, index) => {
      const { problem, oracle } = oracleOf(index);
      expect(oracle.clearance).toBeGreaterThan(1e-6);
      const verdict = judge(problem, messages[index].output, oracle, leniencyOf(table[index]));
      expect(failures(verdict)).toEqual([]);
    });
  });
}
