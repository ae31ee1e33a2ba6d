/**
 * Takes apart JSON that came out of a file, one field at a time, each with its type and its range. Refuses unknown and
 * missing names, numbers that are not finite, and everything else that the demo would not have written.
 */

import type { CheckpointError } from '../errors.js';
import { type SealedFile, unusable } from './sealed-file.js';

export class Fields {
  readonly #file: SealedFile;
  readonly #name: string;
  readonly #value: Record<string, unknown>;

  /** @param name Where in the file the value is, for messages; empty for all of it. */
  private constructor(file: SealedFile, name: string, value: Record<string, unknown>) {
    this.#file = file;
    this.#name = name;
    this.#value = value;
  }

  /** Throws CheckpointError unless `text` is a JSON object. */
  static parse(file: SealedFile, text: string): Fields {
    try {
      return Fields.of(file, '', JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw unusable(file, `Expected JSON in ${file.path} but received ${describe(text)}`);
    }
  }

  private static of(file: SealedFile, name: string, value: unknown): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw unusable(
        file,
        `Expected an object for ${name || 'the content'} in ${file.path} but received ${describe(value)}`,
      );
    }
    return new Fields(file, name, value as Record<string, unknown>);
  }

  /** Throws unless the names are exactly these; those in `optional` may be missing. */
  named(names: readonly string[], optional: readonly string[] = []): this {
    // own names only: JSON can spell __proto__ as well
    const found = Object.keys(this.#value);
    const unknown = found.find((name) => !names.includes(name) && !optional.includes(name));
    if (unknown !== undefined) throw this.refuse(unknown, 'no such name');
    const missing = names.find((name) => !found.includes(name));
    if (missing !== undefined) throw this.refuse(missing, 'a value');
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  /** A finite number, bounds included. */
  number(name: string, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): number {
    const value = this.get(name);
    if (typeof value === 'number' && value >= least && value <= most) return value;
    const range =
      least > -Number.MAX_VALUE ? ` from ${least}${most < Number.MAX_VALUE ? ` to ${most}` : ''}` : '';
    throw this.refuse(name, `a finite number${range}`);
  }

  whole(name: string, least: number, most: number): number {
    const value = this.get(name);
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number;
    }
    throw this.refuse(name, least === most ? `${least}` : `a whole number from ${least} to ${most}`);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const found = values.find((value) => value === this.get(name));
    if (found === undefined) throw this.refuse(name, values.join(' or '));
    return found;
  }

  /** @param length Exactly so many items; any number without it. */
  list(name: string, length?: number): unknown[] {
    const value = this.get(name);
    if (Array.isArray(value) && (length === undefined || value.length === length)) return value;
    throw this.refuse(name, length === undefined ? 'a list' : `a list of ${length}`);
  }

  fields(name: string): Fields {
    return Fields.of(this.#file, this.path(name), this.get(name));
  }

  /** The items of a list, each an object. */
  items(name: string, length?: number): Fields[] {
    return this.list(name, length).map((item, i) => Fields.of(this.#file, `${this.path(name)}[${i}]`, item));
  }

  /** The fields of an object whose values are strings and finite numbers. */
  settings(): Map<string, string | number> {
    return new Map(
      Object.keys(this.#value).map((name) => {
        const value = this.get(name);
        return [name, typeof value === 'string' ? value : this.number(name)];
      }),
    );
  }

  /** What is wrong with one field, as an error. */
  refuse(name: string, expected: string): CheckpointError {
    const { path } = this.#file;
    const received = this.has(name) ? describe(this.get(name)) : 'nothing';
    return unusable(
      this.#file,
      `Expected ${expected} for ${this.path(name)} in ${path} but received ${received}`,
    );
  }

  private get(name: string): unknown {
    return this.has(name) ? this.#value[name] : undefined;
  }

  private path(name: string): string {
    return this.#name === '' ? name : `${this.#name}.${name}`;
  }
}

/** Short, on one line, and safe for values of any depth. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
