/**
 * A case: a name for --only, a title, and a function that yields rows as they are measured.
 */
import type { Row } from './report.js';
import { Unavailable } from './toolchain.js';

export interface BenchContext {
  quick: boolean;
  huge: boolean;
  /** Processors this process may use. */
  processors: number;
  skip(reason: string): void;
}

export interface BenchCase {
  name: string;
  title: string;
  run(context: BenchContext): AsyncGenerator<Row>;
}

/** One row, or a skip by name when a yardstick is missing here. */
export async function* rowOrSkip(
  context: BenchContext,
  label: string,
  measure: () => Promise<Row>,
): AsyncGenerator<Row> {
  try {
    yield await measure();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    context.skip(`${label}: ${error.message}`);
  }
}

/** Thread counts that this machine can really run at once. */
export function threadCounts(context: BenchContext, wanted: number[]): number[] {
  for (const threads of wanted.filter((count) => count > context.processors)) {
    context.skip(`${threads} threads: this machine has ${context.processors} processor`);
  }
  return wanted.filter((count) => count <= context.processors);
}
