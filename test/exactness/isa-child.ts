/**
 * Runs a whole table on one instruction set and sends each result to the parent. A process of its own, because
 * INFCL_ISA is read once, when the engine is first used.
 */
import { contrastiveLossAndGradSync } from '../../lib';
import { caseProblem, type ExactCase, engineInputs } from './cases';
import type { EngineOutput } from './judge';
import { type TableName, tables } from './tables';

/** One message per case, in the table's order. */
export interface CaseMessage {
  index: number;
  isa: string;
  output: EngineOutput;
}

function runCase(exact: ExactCase): { isa: string; output: EngineOutput } {
  const { queries, keys, options } = engineInputs(exact, caseProblem(exact));
  const { stats, rows, ...values } = contrastiveLossAndGradSync(queries, keys, { ...options, perRow: true });
  return { isa: stats.isa, output: { ...values, rows: rows!, maskedPairs: stats.maskedPairs } };
}

function send(message: CaseMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

async function runTable(name: TableName): Promise<void> {
  for (const [index, exact] of tables[name].entries()) await send({ index, ...runCase(exact) });
  process.disconnect();
}

void runTable(process.argv[2] as TableName);
