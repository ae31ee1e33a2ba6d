/**
 * JSON as headers of safetensors files may have it: objects, lists, text, words, and integers from 0 on.
 *
 * Stricter than JSON.parse, which drops all but the last of two equal names. Refuses such names, negative
 * numbers, fractions, integers beyond 2^53, deep nesting, and text that is no Unicode. Objects become Maps, so
 * that no name has a meaning of its own.
 */

import { quoted, type Refuse } from './store-file';

export type StrictJson = string | number | boolean | null | StrictJson[] | StrictObject;
export type StrictObject = ReadonlyMap<string, StrictJson>;

/** A header needs four levels. */
const mostDepth = 8;

const words = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Reads the whole text as one value. Calls `refuse` for everything else. */
export function parseStrictJson(text: string, refuse: Refuse): StrictJson {
  const reader = new Reader(text, refuse);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #at = 0;
  readonly #text: string;
  readonly #refuse: Refuse;

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  value(depth: number): StrictJson {
    if (depth > mostDepth) this.#fail(`more than ${mostDepth} levels of nesting`);
    const first = this.#peek();
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#list(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  end(): void {
    if (this.#peek() !== '') this.#fail('text behind the end');
  }

  #object(depth: number): StrictObject {
    const object = new Map<string, StrictJson>();
    this.#each('}', () => {
      if (this.#peek() !== '"') this.#fail('no name in quotes');
      const name = this.#string();
      if (object.has(name)) this.#fail(`the name ${quoted(name)} twice in one object`);
      this.#take(':');
      object.set(name, this.value(depth + 1));
    });
    return object;
  }

  #list(depth: number): StrictJson[] {
    const list: StrictJson[] = [];
    this.#each(']', () => list.push(this.value(depth + 1)));
    return list;
  }

  /** Elements with commas between them, from the opening bracket to the closing one. */
  #each(closing: string, readElement: () => void): void {
    this.#at += 1;
    if (this.#peek() !== closing) {
      readElement();
      while (this.#peek() === ',') {
        this.#at += 1;
        readElement();
      }
    }
    this.#take(closing);
  }

  #string(): string {
    const begin = this.#at;
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      if (this.#at >= this.#text.length) this.#fail('text without a closing quote');
      if (this.#text[this.#at] === '\\') this.#at += 1;
    }
    this.#at += 1;
    const value = this.#unescape(this.#text.slice(begin, this.#at));
    if (/\p{Surrogate}/u.test(value)) this.#fail('text that is no Unicode');
    return value;
  }

  /** JSON.parse knows the escapes, and refuses control characters. */
  #unescape(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.#fail(`the text ${quoted(literal)}`);
    }
  }

  #number(): number {
    const literal = /[-+.\w]*/y;
    literal.lastIndex = this.#at;
    const text = literal.exec(this.#text)![0];
    const value = Number(text);
    if (!/^(?:0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(value)) {
      this.#fail(text === '' ? 'no value' : `${quoted(text)}, which is no integer from 0 to 2^53`);
    }
    this.#at += text.length;
    return value;
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '-')) this.#at += 1;
    return this.#text[this.#at] ?? '';
  }

  #take(char: string): void {
    if (this.#peek() !== char) this.#fail(`no '${char}'`);
    this.#at += 1;
  }

  #fail(found: string): never {
    return this.#refuse(
      `its header has ${found} at character ${this.#at}; the file is damaged, or no safetensors file`,
    );
  }
}
