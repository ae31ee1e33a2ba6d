/**
 * A person's own folder of captioned pictures as training and test icons (`--data`). The name of a file is its
 * caption, unless `captions.tsv` says otherwise. Refuses folders with too few pictures, and pictures that cannot be
 * read.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';
import { breathe } from '../../breathe.js';
import { UsageError } from '../../errors.js';
import { Random } from '../../random.js';
import { readRegularFile, systemReason } from '../../saved/regular-file.js';
import { wordsOf } from '../client/text-tokens.js';
import { type Collection, collect } from './collection.js';
import type { Icon, IconSet } from './icon-set.js';
import { imagePixels } from './render.js';

export const ownSet = 'your pictures';
export const heldOutSet = 'held-out pictures';

const kinds = new Set(['.png', '.jpg', '.jpeg', '.webp', '.gif', '.avif', '.tif', '.tiff', '.svg']);
const fewestPictures = 64;
/** One picture of so many is for tests. */
const heldOutOneOf = 10;
const captionsFile = 'captions.tsv';

/**
 * From the path of a picture to its ink, uint8 [32 x 32], and to markup that shows it. Rejects where it cannot be
 * read.
 */
export type DrawPicture = (path: string) => Promise<{ ink: Uint8Array; body: string }>;

/** A picture before it is drawn. */
interface Picture {
  /** Relative to the folder. */
  file: string;
  caption: string;
}

/** @param seed Decides which pictures are held out. Throws UsageError. */
export async function ownCollection(folder: string, seed: number, draw: DrawPicture): Promise<Collection> {
  const pictures = picturesIn(folder);
  if (pictures.length < fewestPictures) {
    throw new UsageError(
      `Expected at least ${fewestPictures} pictures with captions below ${folder} for --data but found ${pictures.length}`,
    );
  }
  const order = Random.stream(seed, 5).permutation(pictures.length);
  const tests = Math.ceil(pictures.length / heldOutOneOf);
  const part = async (title: string, rows: Int32Array) => {
    const chosen = Array.from(rows.slice().sort(), (row) => pictures[row]!);
    const about = { name: title, title, author: 'you', licence: 'yours', version: '' };
    return drawn(folder, about, chosen, draw);
  };
  const parts = [await part(ownSet, order.subarray(tests)), await part(heldOutSet, order.subarray(0, tests))];
  return collect(parts, heldOutSet);
}

/** Pictures with a caption of at least one word, in the order of their paths. */
export function picturesIn(folder: string): Picture[] {
  let names: string[];
  try {
    if (!statSync(folder).isDirectory())
      throw new UsageError(`Expected a folder for --data but ${folder} is a file`);
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read --data ${folder}: ${systemReason(error)}`);
  }
  const captions = readCaptions(join(folder, captionsFile));
  return names
    .filter((name) => kinds.has(parse(name).ext.toLowerCase()))
    .sort()
    .map((file) => ({ file, caption: captions.get(file) ?? captionOfFile(file) }))
    .filter(({ caption }) => caption !== '');
}

/** "animals/Black_Cat 2.png" is "black cat": words, without a last number that counts pictures of one thing. */
function captionOfFile(file: string): string {
  const words = wordsOf(parse(file).name);
  if (words.length > 1 && /^\d+$/.test(words.at(-1)!)) words.pop();
  return words.join(' ');
}

/** Lines of path, tab, caption. */
function readCaptions(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const lines = readRegularFile(path, captionsFile).toString('utf8').split(/\r?\n/);
  const captions = new Map<string, string>();
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    const columns = line.split('\t');
    if (columns.length !== 2) {
      throw new UsageError(
        `Expected a path, a tab and a caption in line ${i + 1} of ${path} but found ${columns.length} columns`,
      );
    }
    captions.set(columns[0]!, wordsOf(columns[1]!).join(' '));
  });
  return captions;
}

async function drawn(
  folder: string,
  about: Omit<IconSet, 'icons'>,
  pictures: readonly Picture[],
  draw: DrawPicture,
): Promise<{ set: IconSet; ink: Uint8Array }> {
  const ink = new Uint8Array(pictures.length * imagePixels);
  const icons: Icon[] = [];
  for (const [i, { file, caption }] of pictures.entries()) {
    await breathe();
    try {
      const { ink: own, body } = await draw(join(folder, file));
      ink.set(own, i * imagePixels);
      icons.push({ name: file, caption, body, box: [0, 0, 32, 32] });
    } catch (error) {
      throw new UsageError(`Cannot read the picture ${join(folder, file)}: ${(error as Error).message}`);
    }
  }
  return { set: { ...about, icons }, ink };
}
