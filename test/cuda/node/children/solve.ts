/**
 * Solves one of cudaCases on backend 'cuda', in a process of its own because the driver is looked for once.
 * Sends the result to the parent.
 */
import { contrastiveLossAndGrad } from '../../../../lib';
import { caseProblem, engineInputs } from '../../../exactness/cases';
import { cudaCases } from '../cases';

async function solveAll(): Promise<void> {
  for (const [index, exact] of cudaCases.entries()) {
    const { queries, keys, options } = engineInputs(exact, caseProblem(exact));
    const result = await contrastiveLossAndGrad(queries, keys, { ...options, backend: 'cuda' });
    await new Promise<void>((resolve, reject) =>
      process.send!({ index, result }, (error: Error | null) => (error ? reject(error) : resolve())),
    );
  }
  process.disconnect();
}

void solveAll();
