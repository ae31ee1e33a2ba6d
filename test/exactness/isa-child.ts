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

function runTable(): void {
  exactCases.forEach((exact, index) => {
    const { queries, keys, labels } = caseInputs(exact);
    const { objective, logitScale } = exact;
    const result = contrastiveLossAndGradSync(queries, keys, { objective, logitScale, labels, perRow: true });
    const { loss, accuracy, queryGrads, keyGrads, logitScaleGrad, rows } = result;
    const output: EngineOutput = { loss, accuracy, queryGrads, keyGrads, logitScaleGrad, rows: rows! };
    process.send!({ index, isa: result.stats.isa, output } satisfies CaseMessage);
  });
  process.disconnect();
}

runTable();
