/**
 * Figures within sentences of the documentation. A claim is a sentence with holes, and each hole has a value from a
 * committed result. The sentence finds its place in the page; the script writes the holes or compares them.
 */

export interface Claim {
  /** The page, from the root of the project. */
  page: string;
  /** Text between the holes; any space stands for any white space, so that a page may be wrapped anew. */
  parts: readonly string[];
  /** What stands in the holes. */
  values: readonly string[];
}

export interface Difference {
  /** What the page says, and what the results say. */
  found: string;
  expected: string;
  sentence: string;
}

/** A template that makes claims about one page: claimsOf('README.md')`took ${'272'} MiB`. */
export function claimsOf(page: string) {
  return (parts: TemplateStringsArray, ...values: string[]): Claim => ({ page, parts, values });
}

/** Numbers as pages write them: 272, 8,192, 0.83, 1e-6. */
const number = '(-?\\d(?:[\\d.,]*\\d)?(?:e-?\\d+)?)';

function patternOf({ parts }: Claim): RegExp {
  const escaped = parts.map((part) =>
    part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, () => '\\s+'),
  );
  return new RegExp(escaped.join(number), 'dg');
}

/** The holes of a claim in the text of its page. A sentence that is not there exactly once is an error. */
function holesOf(text: string, claim: Claim): { from: number; to: number }[] {
  const matches = [...text.matchAll(patternOf(claim))];
  if (matches.length !== 1) {
    const sentence = claim.parts.join('…').replace(/\s+/g, ' ');
    throw new Error(
      `${claim.page} has ${matches.length} sentences "${sentence}", and needs one. Where you reworded the page, change bench/src/render-claims.ts too`,
    );
  }
  const [match] = matches;
  return match!.indices!.slice(1).map((range) => ({ from: range![0], to: range![1] }));
}

/** The text with all holes filled, and each hole that said something else. */
export function fillFigures(
  text: string,
  claims: readonly Claim[],
): { text: string; differences: Difference[] } {
  const differences: Difference[] = [];
  let filled = text;
  for (const claim of claims) {
    const holes = holesOf(filled, claim);
    // from the last hole to the first, so that earlier positions stay right
    for (const [index, { from, to }] of [...holes.entries()].reverse()) {
      const [found, expected] = [filled.slice(from, to), claim.values[index]!];
      if (found === expected) continue;
      const sentence = claim.parts.join('…').replace(/\s+/g, ' ');
      differences.push({ found, expected, sentence });
      filled = filled.slice(0, from) + expected + filled.slice(to);
    }
  }
  return { text: filled, differences };
}

/** Where the claims stand in a text, for checks that ask what no claim covers. */
export function placesOf(text: string, claims: readonly Claim[]): { from: number; to: number }[] {
  return claims.flatMap((claim) => holesOf(text, claim));
}
