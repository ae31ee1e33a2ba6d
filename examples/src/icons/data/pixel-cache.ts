/**
 * Pixels of icon sets on disk: drawn once, then read. One sealed file a set, so that an interrupted run keeps what
 * it has. A file of other versions, or one that was damaged, is drawn again. Refuses to decide what is drawn.
 */

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { breathe } from '../../breathe.js';
import { DemoError } from '../../errors.js';
import { readSealed, type SealedFile, writeSealed } from '../../saved/sealed-file.js';
import type { IconSet } from './icon-set.js';
import { drawSheet, inkForm, type PictureForm, pictureBytes, type Rasterise, sheetIcons } from './render.js';

export interface PixelCache {
  /** A folder, made where there is none. */
  folder: string;
  /** Version of the drawing program. */
  program: string;
  rasterise: Rasterise;
  /** By default ink. */
  form?: PictureForm;
  /** Told how many icons of the set are drawn. Not told of sets that are read. */
  onProgress?: (set: string, drawn: number, icons: number) => void;
}

/** Sheets that are drawn at one time: the drawing program has threads of its own. */
const sheetsAtOnce = 2;

/**
 * Pictures of all icons of the set, uint8 [icons x bytes of the form]. Throws OutputError where the cache cannot be
 * written.
 */
export async function pixelsOf(set: IconSet, cache: PixelCache): Promise<Uint8Array> {
  const form = cache.form ?? inkForm;
  const key = keyOf(set, cache.program, form);
  const file: SealedFile = {
    path: join(cache.folder, `${set.name}.bin`),
    what: 'pixels of an icon set',
    prefix: 'INFCLPX1',
    remedy: 'delete it',
  };
  const found = readPixels(file, key, set.icons.length * pictureBytes(form));
  if (found !== undefined) return found;
  const pixels = await draw(set, cache, form);
  mkdirSync(cache.folder, { recursive: true });
  writeSealed(file, [key, pixels]);
  return pixels;
}

/** 32 bytes that differ wherever the pixels may differ. */
function keyOf({ name, version, icons }: IconSet, program: string, form: PictureForm): Buffer {
  const names = icons.map((icon) => icon.name).join('\n');
  const parts = [name, version, program, form.version, names];
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function readPixels(file: SealedFile, key: Buffer, bytes: number): Uint8Array | undefined {
  try {
    const content = readSealed(file);
    if (!content.subarray(0, key.length).equals(key)) return undefined;
    const pixels = content.subarray(key.length);
    return pixels.length === bytes ? pixels : undefined;
  } catch (error) {
    // no file yet, or one that was damaged
    if (error instanceof DemoError) return undefined;
    throw error;
  }
}

async function draw(
  { name, icons }: IconSet,
  { rasterise, onProgress }: PixelCache,
  form: PictureForm,
): Promise<Uint8Array> {
  const bytes = pictureBytes(form);
  const pixels = new Uint8Array(icons.length * bytes);
  let next = 0;
  let drawn = 0;
  const work = async () => {
    while (next < icons.length) {
      const first = next;
      next += sheetIcons;
      const sheet = icons.slice(first, first + sheetIcons);
      pixels.set(await drawSheet(sheet, rasterise, form), first * bytes);
      drawn += sheet.length;
      onProgress?.(name, drawn, icons.length);
      await breathe();
    }
  };
  await Promise.all(Array.from({ length: sheetsAtOnce }, work));
  return pixels;
}
