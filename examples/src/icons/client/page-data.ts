/**
 * The data of the page: one block of bytes, compressed, in base64. `page/pack.ts` writes what this file reads.
 * Refuses blocks of another form, and imports nothing that a browser lacks.
 */

export interface PageSet {
  title: string;
  unseen: boolean;
}

export interface PageHeader {
  dim: number;
  columns: number;
  sets: PageSet[];
  /** Lists of equal length, one entry an icon. */
  icons: { set: number[]; name: string[]; caption: string[]; box: string[]; body: string[] };
  /** What an icon may be compared with. */
  words: string[];
}

/** Row i of a side is scales[i] · values[i]. */
export interface PageData extends PageHeader {
  textScales: Float32Array;
  textValues: Int8Array;
  iconScales: Float32Array;
  iconValues: Int8Array;
}

/** From the text of the page's data element. Rejects where the text is no such block. */
export async function unpack(base64: string): Promise<PageData> {
  const packed = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return readBlock(await new Response(stream).arrayBuffer());
}

/** The order of the block: length of the header, header, then four arrays. All begin at multiples of 4. */
function readBlock(block: ArrayBuffer): PageData {
  const headerLength = new DataView(block).getUint32(0, true);
  let at = 4 + headerLength;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 4, headerLength))) as PageHeader;
  const { dim, columns } = header;
  const icons = header.icons.name.length;
  const take = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  const data = {
    ...header,
    textScales: new Float32Array(block, take(4 * columns), columns),
    iconScales: new Float32Array(block, take(4 * icons), icons),
    textValues: new Int8Array(block, take(columns * dim), columns * dim),
    iconValues: new Int8Array(block, take(icons * dim), icons * dim),
  };
  if (at !== block.byteLength)
    throw new Error(`Expected ${at} bytes of data but received ${block.byteLength}`);
  return data;
}
