/**
 * Where each row of a file begins: 8 bytes a row, in segments, so that growing copies nothing.
 *
 * Refuses to keep any text.
 */

const segmentBits = 17;
const segmentLength = 2 ** segmentBits;

export class RowOffsets {
  private readonly segments: Float64Array[] = [];
  private length = 0;
  private endOfFile = 0;

  get rows(): number {
    return this.length;
  }

  /** The first byte of the next row. Bytes up to 2^53 are exact. */
  push(offset: number): void {
    const place = this.length % segmentLength;
    if (place === 0) this.segments.push(new Float64Array(segmentLength));
    this.segments.at(-1)![place] = offset;
    this.length++;
  }

  /** After the last row. */
  close(endOfFile: number): void {
    this.endOfFile = endOfFile;
  }

  begin(row: number): number {
    return this.segments[row >>> segmentBits]![row % segmentLength]!;
  }

  /** The byte after the row. Line ends and blank lines belong to the row before them. */
  end(row: number): number {
    return row + 1 < this.length ? this.begin(row + 1) : this.endOfFile;
  }
}
