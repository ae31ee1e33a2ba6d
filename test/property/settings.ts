/**
 * How many random problems, and which: fixed by default, so that a run is repeatable and short.
 *
 *   INFCL_PROPERTY_RUNS=5000 INFCL_PROPERTY_SEED=$RANDOM npx jest test/property
 */
import fc from 'fast-check';
import { caseName, type ExactCase } from '../exactness/cases';

const defaultRuns = 150;
const defaultSeed = 20_261_124;

function setting(name: string, byDefault: number): number {
  const value = process.env[name];
  if (value === undefined || value === '') return byDefault;
  if (!/^\d+$/.test(value))
    throw new RangeError(`Expected non-negative integer for ${name} but received ${value}`);
  return Number(value);
}

/** Runs `check` on random problems; it throws when the property does not hold. */
export function forAll(problems: fc.Arbitrary<ExactCase>, check: (exact: ExactCase) => void): void {
  const property = fc.property(problems, (exact) => {
    try {
      check(exact);
    } catch (error) {
      throw new Error(`${caseName(exact)}: ${(error as Error).message}`);
    }
  });
  fc.assert(property, {
    numRuns: setting('INFCL_PROPERTY_RUNS', defaultRuns),
    seed: setting('INFCL_PROPERTY_SEED', defaultSeed),
  });
}

/** For runs of any length. */
export const propertyTimeout = 60_000 + 1000 * setting('INFCL_PROPERTY_RUNS', defaultRuns);
