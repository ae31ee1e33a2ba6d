/** The tables of cases by name, as a child process is told which one to run. */
import { type ExactCase, shapeCases } from './cases';
import { narrowCases, optionCases } from './option-cases';

export const tables = {
  shapes: shapeCases,
  options: optionCases,
  narrow: narrowCases,
} satisfies Record<string, ExactCase[]>;

export type TableName = keyof typeof tables;
