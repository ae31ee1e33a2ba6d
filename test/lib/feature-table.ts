/**
 * The table form of wrong features: their description, a function that makes them, and the code and words of
 * the error. NAME in the words stands for the argument. Each row is a test for queries, for keys and for
 * hard negatives.
 */
import { expectRefused, matrix } from './fake-binding';

export type FeatureRow = [what: string, features: () => unknown, code: string, message: string];

const typeErrors = ['ERR_TYPE', 'ERR_DTYPE', 'ERR_BUFFER', 'ERR_DETACHED'];

const toTest = ([what, features, code, message]: FeatureRow) => ({
  what,
  features,
  thrown: (name: string) => ({
    type: typeErrors.includes(code) ? TypeError : RangeError,
    code,
    message: message.replaceAll('NAME', name),
  }),
});

/** Makes the tests. */
export function refusesAsFeatures(rows: FeatureRow[]): void {
  describe.each(rows.map(toTest))('$what', ({ features, thrown }) => {
    it('is refused as queries', () =>
      expectRefused({ queries: features(), keys: matrix(3, 4) }, thrown('queries')));

    it('is refused as keys', () =>
      expectRefused({ queries: matrix(3, 4), keys: features() }, thrown('keys')));

    it('is refused as hard negatives', () =>
      expectRefused(
        {
          queries: matrix(3, 4),
          keys: matrix(3, 4),
          options: { hardNegatives: { keys: features(), perQuery: 1 } },
        },
        thrown('options.hardNegatives.keys'),
      ));
  });
}
