/**
 * Strings to tokens: what a linear model can see of a word. Position counts from both ends, because Chinese words
 * are compounds whose first and last character carry most. Refuses to look anything up: no table of readings, so
 * that every association between sound and character has to be learnt.
 */

/** Length, and each unit alone, by index from the start and by index from the end. */
function positioned(units: readonly string[]): string[] {
  const tokens = [`n${units.length}`];
  units.forEach((unit, i) => {
    tokens.push(`u${unit}`, `s${i}${unit}`, `e${units.length - 1 - i}${unit}`);
  });
  return tokens;
}

export function writtenWordTokens(word: string): string[] {
  return positioned([...word]);
}

/** As for a word, on toned syllables; besides, toneless syllables alone and by index from the start. */
export function pronunciationTokens(pinyin: string): string[] {
  const syllables = pinyin.toLowerCase().split(' ');
  const tokens = positioned(syllables);
  syllables.forEach((syllable, i) => {
    const toneless = syllable.replace(/[1-5]$/, '');
    tokens.push(`t${toneless}`, `p${i}${toneless}`);
  });
  return tokens;
}

/** Character 1- to 4-grams of each word with its borders marked, and the word itself. */
export function ngramTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const word of text.toLowerCase().split(/\s+/)) {
    const characters = [...`^${word}$`];
    for (let n = 1; n <= 4; n++) {
      for (let i = 0; i + n <= characters.length; i++) tokens.push(characters.slice(i, i + n).join(''));
    }
    tokens.push(`w${word}`);
  }
  return tokens;
}
