/**
 * The data of the page: one block of bytes, compressed, in base64. `page/pack.ts` writes what this file
 * reads. Refuses blocks of another form, and imports nothing that a browser lacks.
 */

export type BoxOutcome = 'right' | 'misnamed' | 'wrong';

/** Left, top, right, bottom in pixels of the scene. */
export type Edges = readonly [number, number, number, number];

export interface PageThing {
  label: string;
  /** Whether no training scene had the concept. */
  novel: boolean;
  box: Edges;
}

export interface PageBox {
  box: Edges;
  label: string;
  /** The probability of this name. */
  score: number;
  outcome: BoxOutcome;
  /** log of the sum over all names offered, "nothing" among them, of exp(scale · name · box). */
  logSum: number;
}

export interface PageScene {
  /** Base64 of a WebP picture. */
  image: string;
  things: PageThing[];
  boxes: PageBox[];
}

export interface PageHeader {
  /** Pixels along a scene. */
  side: number;
  dim: number;
  /** Rows of the text encoder. */
  columns: number;
  /** 1 / temperature. */
  scale: number;
  scenes: PageScene[];
  /** Names of all concepts, to suggest. */
  names: string[];
}

/** Row i of a side is scales[i] · values[i]. Boxes are numbered through all scenes. */
export interface PageData extends PageHeader {
  textScales: Float32Array;
  textValues: Int8Array;
  boxScales: Float32Array;
  boxValues: Int8Array;
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
  const { dim, columns, scenes } = header;
  const boxes = scenes.reduce((sum, scene) => sum + scene.boxes.length, 0);
  const take = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  const data = {
    ...header,
    textScales: new Float32Array(block, take(4 * columns), columns),
    boxScales: new Float32Array(block, take(4 * boxes), boxes),
    textValues: new Int8Array(block, take(columns * dim), columns * dim),
    boxValues: new Int8Array(block, take(boxes * dim), boxes * dim),
  };
  if (at !== block.byteLength)
    throw new Error(`Expected ${at} bytes of data but received ${block.byteLength}`);
  return data;
}
