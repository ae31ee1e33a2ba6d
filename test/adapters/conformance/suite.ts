/**
 * One conformance suite for all hosts of encoders: a framework with its adapter, or an encoder by hand. A test file
 * calls `describeHost` with its host. host.ts says what a host is, and `caseTitles` there lists the cases.
 */
import { dropoutCases } from './dropout-cases';
import { failureCases } from './failure-cases';
import { featureCases } from './feature-cases';
import { gradientCases } from './gradient-cases';
import { type CaseName, caseTitles } from './host';
import type { AnyHost } from './pair';

export const cases: Record<CaseName, (host: AnyHost) => Promise<void>> = {
  ...gradientCases,
  ...dropoutCases,
  ...failureCases,
  ...featureCases,
};

const names = Object.keys(caseTitles) as CaseName[];

/** Cases that need a function which a host may lack. */
const needs = {
  memory: 'live',
  autodiff: 'denseGradients',
  optimiser: 'makeOptimiser',
  nestedGradient: 'nestedGradient',
} as const satisfies Partial<Record<CaseName, keyof AnyHost>>;

/** Cases in which the host's own tower has a backward phase. */
const needTraining: readonly CaseName[] = [
  ...(['autodiff', 'sharedEncoder', 'accumulation', 'dropoutReplay', 'encodeTwice'] as const),
  ...(['backwardFails', 'changedRows', 'optimiser'] as const),
];

/** Why the host's account of itself is wrong, or nothing. */
export function contradictions(host: AnyHost): string[] {
  const found: string[] = [];
  for (const [name, method] of Object.entries(needs) as [keyof typeof needs, keyof AnyHost][]) {
    const [can, cannot] = [host[method] !== undefined, host.cannot[name] !== undefined];
    if (can === cannot) found.push(`${name}: ${can ? 'is there and' : 'neither is there nor'} in cannot`);
  }
  for (const name of needTraining) {
    if (!host.trains && host.cannot[name] === undefined) found.push(`${name}: the host does not train`);
  }
  return found;
}

/** Registers every case that applies as a test, and prints the others with their reasons. */
export function describeHost(host: AnyHost): void {
  describe(`conformance of ${host.name}`, () => {
    beforeAll(async () => {
      for (const [name, reason] of Object.entries(host.cannot) as [CaseName, string][]) {
        process.stdout.write(`conformance of ${host.name}: does not apply: ${caseTitles[name]}: ${reason}\n`);
      }
      await host.start?.();
    });

    test('the host says truly what it can', () => expect(contradictions(host)).toEqual([]));

    for (const name of names) {
      if (host.cannot[name] === undefined) test(caseTitles[name], () => cases[name](host));
    }
  });
}
