/**
 * What the page computes: texts to features, the icons nearest to a text, the words nearest to an icon. Knows no
 * element of the page, and refuses to answer for texts of which the encoder knows nothing.
 */

import type { PageData } from './page-data.js';
import { encodeText } from './text-encoder.js';

export interface Found {
  /** Number of an icon or of a word. */
  index: number;
  score: number;
}

export class IconSearch {
  private words: Float32Array | undefined;

  constructor(readonly data: PageData) {}

  /** As {@link encodeText}. */
  encode(text: string): Float32Array | undefined {
    return encodeText(this.data, text);
  }

  /** The nearest icons, best first. @param unseenOnly Only those of the set that training never saw. */
  icons(feature: Float32Array, count: number, unseenOnly: boolean): Found[] {
    const { dim, sets, icons, iconScales, iconValues } = this.data;
    const found: Found[] = [];
    icons.set.forEach((set, index) => {
      if (unseenOnly && !sets[set]!.unseen) return;
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += feature[d]! * iconValues[index * dim + d]!;
      found.push({ index, score: sum * iconScales[index]! });
    });
    return best(found, count);
  }

  /** The words nearest to an icon, best first. */
  wordsOf(icon: number, count: number): Found[] {
    const { dim, words, iconScales, iconValues } = this.data;
    this.words ??= this.encodeWords();
    const features = this.words;
    const found = words.map((_, index) => {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += features[index * dim + d]! * iconValues[icon * dim + d]!;
      return { index, score: sum * iconScales[icon]! };
    });
    return best(found, count);
  }

  private encodeWords(): Float32Array {
    const { dim, words } = this.data;
    const features = new Float32Array(words.length * dim);
    words.forEach((word, i) => {
      const feature = this.encode(word);
      if (feature !== undefined) features.set(feature, i * dim);
    });
    return features;
  }
}

function best(found: Found[], count: number): Found[] {
  return found.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, count);
}
