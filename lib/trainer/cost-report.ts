/**
 * What a chunked step cost, by phase, so that the price of decoupling the backbone from the loss is a number the
 * user reads. Refuses to estimate: seconds are measured, bytes are sizes of arrays that existed.
 */

export interface PhaseCost {
  /** Wall time of the phase, waiting for the chunk iterators included. */
  seconds: number;
  bytes: number;
}

export interface CostReport {
  /** First pass over the chunks, without a graph. `bytes`: feature matrices of both towers, in their element types. */
  encode: PhaseCost;
  /** The one call of the loss. `bytes`: feature gradient matrices plus the scratch memory the loss reports. */
  loss: PhaseCost;
  /**
   * Second pass, with a graph. `bytes`: the largest feature gradient handed to an encoder. It is a view of the
   * loss's gradients, not memory on top; activations belong to the framework and are not seen here.
   */
  backward: PhaseCost;
  /** Wall time of the whole step; what exceeds the three phases is bookkeeping. */
  totalSeconds: number;
  /**
   * Share of `totalSeconds`, 0 to 1, that a step holding every activation at once would not have spent: the first
   * pass over towers that were encoded a second time. A frozen tower is encoded once either way and adds nothing.
   */
  overheadRatio: number;
}

/** Renders the report as a table of five lines for a terminal. */
export function formatCostReport(report: CostReport): string {
  const { encode, loss, backward, totalSeconds } = report;
  const row = (name: string, seconds: number, bytes: string) => {
    const share = totalSeconds > 0 ? (100 * seconds) / totalSeconds : 0;
    return `${name.padEnd(9)}${seconds.toFixed(3).padStart(10)} s${share.toFixed(1).padStart(7)} %${bytes.padStart(13)}`;
  };
  return [
    row('encode', encode.seconds, formatBytes(encode.bytes)),
    row('loss', loss.seconds, formatBytes(loss.bytes)),
    row('backward', backward.seconds, formatBytes(backward.bytes)),
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
