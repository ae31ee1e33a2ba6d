/** What the data of the page consists of. Refuses to know the form of the block, which is in `packed-block.ts`. */

import { unpackBlock } from '../../icons/client/packed-block.js';

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
  const { header, textScales, textValues, scales, values } = await unpackBlock<PageHeader>(
    base64,
    ({ scenes }) => scenes.reduce((sum, { boxes }) => sum + boxes.length, 0),
  );
  return { ...header, textScales, textValues, boxScales: scales, boxValues: values };
}
