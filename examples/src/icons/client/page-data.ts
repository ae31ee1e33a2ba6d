/** What the data of the page consists of. Refuses to know the form of the block, which is in `packed-block.ts`. */

import { unpackBlock } from './packed-block.js';

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
  const { header, textScales, textValues, scales, values } = await unpackBlock<PageHeader>(
    base64,
    ({ icons }) => icons.name.length,
  );
  return { ...header, textScales, textValues, iconScales: scales, iconValues: values };
}
