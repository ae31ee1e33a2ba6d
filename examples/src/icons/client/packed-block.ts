/**
 * The form of a page's data: one block of bytes, compressed, in base64. In order: length of the header, header as
 * JSON, then arrays. `page/pack.ts` writes the block. Refuses blocks of another length, and imports nothing that a
 * browser lacks.
 */

/** The part of a header that every page has. */
interface EncoderShape {
  dim: number;
  /** Rows of the text encoder. */
  columns: number;
}

/** Row i of a side is scales[i] · values[i]. */
export interface PackedSides {
  textScales: Float32Array;
  textValues: Int8Array;
  scales: Float32Array;
  values: Int8Array;
}

/**
 * From the text of the page's data element. Rejects where the text is no such block.
 * @param rowsOf How many rows the header says there are beside the text encoder.
 */
export async function unpackBlock<Header extends EncoderShape>(
  base64: string,
  rowsOf: (header: Header) => number,
): Promise<{ header: Header } & PackedSides> {
  const packed = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const block = await new Response(stream).arrayBuffer();
  const headerLength = new DataView(block).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 4, headerLength))) as Header;
  const { dim, columns } = header;
  const rows = rowsOf(header);
  let at = 4 + headerLength;
  const take = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  const sides = {
    textScales: new Float32Array(block, take(4 * columns), columns),
    scales: new Float32Array(block, take(4 * rows), rows),
    textValues: new Int8Array(block, take(columns * dim), columns * dim),
    values: new Int8Array(block, take(rows * dim), rows * dim),
  };
  if (at !== block.byteLength)
    throw new Error(`Expected ${at} bytes of data but received ${block.byteLength}`);
  return { header, ...sides };
}
