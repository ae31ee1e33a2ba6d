/**
 * Makes lib/doctor/self-test-values.ts: the answers of the float64 reference (test/reference) to the problems of the
 * self-test. A test makes the values again and compares.
 *
 *     node -r ./test/child/register-typescript.cjs test/doctor/make-self-test-values.ts
 *     npm run format:write
 *
 * Refuses to ask the addon: the values must not depend on what they judge.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfTestProblem, type SelfTestCase, selfTestCases } from '../../lib/doctor/self-test-cases';
import { type StoredValues, type Summary, summarise } from '../../lib/doctor/self-test-summary';
import { denseLossAndGrad } from '../reference/dense';

const valuesFile = join(__dirname, '..', '..', 'lib', 'doctor', 'self-test-values.ts');

const head = `/**
 * Losses and gradients of the self-test's problems, by name: what the float64 reference of the tests answers.
 * Written by test/doctor/make-self-test-values.ts, which says how to run it. A test makes the values again.
 */

import type { StoredValues } from './self-test-summary';

`;

/** Twelve digits: three more than the tightest bound can see. */
const round = (value: number) => Number(value.toPrecision(12));

function roundSummary({ length, signedSums }: Summary): Summary {
  return { length: round(length), signedSums: signedSums.map(round) };
}

function valuesOf(given: SelfTestCase): StoredValues {
  const { queries, keys, options } = makeSelfTestProblem(given);
  const oracle = denseLossAndGrad(queries, keys, options);
  return {
    loss: round(oracle.loss),
    accuracy: round(oracle.accuracy),
    logitScaleGrad: round(oracle.logitScaleGrad),
    logitBiasGrad: round(oracle.logitBiasGrad),
    queryGrads: roundSummary(summarise(oracle.queryGrads)),
    keyGrads: roundSummary(summarise(oracle.keyGrads)),
  };
}

/** The values by the names of the problems. */
export function makeValues(): Record<string, StoredValues> {
  return Object.fromEntries(selfTestCases.map((given) => [given.name, valuesOf(given)]));
}

if (require.main === module) {
  const data = JSON.stringify(makeValues(), null, 2);
  writeFileSync(valuesFile, `${head}export const selfTestValues: Record<string, StoredValues> = ${data};\n`);
}
