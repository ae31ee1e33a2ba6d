/**
 * The cost of a chunked step, by phase: the user reads the price of decoupling the backbone from the loss as
 * a number.
 *
 * Refuses to estimate: seconds are measured, bytes are sizes of arrays that existed.
 */

export interface PhaseCost {
  /** Wall time of the phase, with the time spent waiting for chunk iterators. */
  seconds: number;
  bytes: number;
}

export interface CostReport {
  /** The encode phase, without a graph. `bytes`: feature matrices of all towers, in their element types. */
  encode: PhaseCost;
  /**
   * The one call of the loss. `bytes`: feature gradient matrices of trained towers, and the scratch memory that
   * the loss reports.
   */
  loss: PhaseCost;
  /**
   * The backward phase, with a graph. `bytes`: the largest feature gradient that an encoder received. It
   * is a view of the loss's gradients, and no more memory. Activations belong to the framework and are
   * not counted.
   */
  backward: PhaseCost;
  /**
   * In steps that normalise rows: the division, and the gradients through it. Its seconds are in no other phase.
   * `bytes`: the lengths of rows.
   */
  normalize?: PhaseCost;
  /** Wall time of the whole step. It exceeds the sum of the phases by bookkeeping. */
  totalSeconds: number;
  /**
   * Fraction of `totalSeconds`, 0 to 1, that a step with all activations in memory would save. It is the
   * encode phase of towers that were encoded a second time. A frozen tower is encoded once either way and
   * adds no time.
   */
  overheadRatio: number;
}

/** Renders the report as a table for a terminal, a line for each phase. */
export function formatCostReport(report: CostReport): string {
  const { encode, loss, backward, normalize, totalSeconds } = report;
  const row = (name: string, seconds: number, bytes: string) => {
    const percent = totalSeconds > 0 ? (100 * seconds) / totalSeconds : 0;
    return `${name.padEnd(9)} ${seconds.toFixed(3).padStart(9)} s${percent.toFixed(1).padStart(7)} %${bytes.padStart(13)}`;
  };
  return [
    row('encode', encode.seconds, formatBytes(encode.bytes)),
    row('loss', loss.seconds, formatBytes(loss.bytes)),
    row('backward', backward.seconds, formatBytes(backward.bytes)),
    ...(normalize ? [row('normalize', normalize.seconds, formatBytes(normalize.bytes))] : []),
    row('total', totalSeconds, ''),
    `decoupling the backbone cost ${(100 * report.overheadRatio).toFixed(1)} % of the step`,
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
