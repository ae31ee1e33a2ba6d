/**
 * Runs the whole table of cases.ts on one instruction set and sends each result to the parent. A process of its own,
 * because INFCL_ISA is read once, when the engine is first used.
 */
import { contrastiveLossAndGradSync } from '../../lib';
import { caseInputs, exactCases } from './cases';
import type { EngineOutput } from './judge';

/** One message per case, in the table's order. */
export interface CaseMessage {
  index: number;
  isa: string;
  output: EngineOutput;
}

function send(message: CaseMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

async function runTable(): Promise<void> {
  for (const [index, exact] of exactCases.entries()) {
    const { queries, keys, labels } = caseInputs(exact);
    const { objective, logitScale } = exact;
    const result = contrastiveLossAndGradSync(queries, keys, { objective, logitScale, labels, perRow: true });
    const { loss, accuracy, queryGrads, keyGrads, logitScaleGrad, rows } = result;
    const output: EngineOutput = { loss, accuracy, queryGrads, keyGrads, logitScaleGrad, rows: rows! };
    await send({ index, isa: result.stats.isa, output });
  }
  process.disconnect();
}

void runTable();
