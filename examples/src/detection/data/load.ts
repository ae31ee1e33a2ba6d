/**
 * From package folders to {@link Emoji}: reads sets and names, draws what is needed or reads its pixels, with
 * progress. Refuses to install.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../errors.js';
import { type IconSet, packageFolder, readIconSet, readJson } from '../../icons/data/icon-set.js';
import { installedVersion, type PackageFolder } from '../../icons/data/install.js';
import { DrawingDisplay } from '../../icons/data/load.js';
import { pixelsOf } from '../../icons/data/pixel-cache.js';
import type { Rasterise } from '../../icons/data/render.js';
import { loadSharp } from '../../icons/data/sharp.js';
import { type Concept, iconsFor, novelConcepts, readConcepts, usableConcepts } from './concepts.js';
import { colourForm, type Emoji, type Style, styleOf } from './emoji.js';
import { takenLicences, trainingStyles, unseenStyle } from './styles.js';

export const emojiPackages: PackageFolder = { what: 'emoji sets', megabytes: 110 };

/** `examples/detection` of this clone. */
export function detectionHome(): string {
  // from examples/dist/detection/data
  return fileURLToPath(new URL('../../../detection', import.meta.url));
}

/** A set, and which of its icons draws each concept. */
interface Source {
  set: IconSet;
  icons: (string | undefined)[];
}

/** @param home The folder `examples/detection`, with packages. */
export async function loadEmoji(home: string): Promise<Emoji> {
  const all = readConcepts(home);
  const names = [...trainingStyles, unseenStyle];
  const codes = names.map((name) =>
    readJson<Record<string, string>>(join(packageFolder(home, name), 'chars.json')),
  );
  const sources = names.map((name, i) => readSource(home, name, all, [codes[i]!, ...codes]));
  const drawn = sources.map(({ icons }) => icons.map((icon) => icon !== undefined));
  const used = usableConcepts(drawn.slice(0, -1), drawn.at(-1)!);
  const display = new DrawingDisplay();
  const styles: Style[] = [];
  for (const source of sources) styles.push(await drawStyle(home, source, used, display));
  display.stop();
  return withoutBlanks(
    used.map((i) => all[i]!),
    styles,
  );
}

/** Concepts of which the unseen style drew nothing cannot be asked for. */
function withoutBlanks(concepts: Concept[], styles: readonly Style[]): Emoji {
  const unseen = styles.at(-1)!;
  const kept = Array.from(concepts.keys()).filter((i) => unseen.rowOf[i]! >= 0);
  const narrowed = styles.map((style) => ({
    ...style,
    rowOf: Int32Array.from(kept, (i) => style.rowOf[i]!),
  }));
  return {
    concepts: kept.map((i) => concepts[i]!),
    novel: novelConcepts(kept.length),
    training: narrowed.slice(0, -1),
    unseen: narrowed.at(-1)!,
  };
}

function readSource(
  home: string,
  name: string,
  concepts: readonly Concept[],
  codes: readonly Record<string, string>[],
): Source {
  const set = readIconSet(home, { name });
  if (!takenLicences.includes(set.licence)) {
    throw new UsageError(
      `Expected one of ${takenLicences.join(', ')} as the licence of ${name} but it states ${set.licence}`,
    );
  }
  return { set, icons: iconsFor(concepts, codes, new Set(set.icons.map((icon) => icon.name))) };
}

/** Draws the icons of the used concepts only. */
async function drawStyle(
  home: string,
  { set, icons }: Source,
  used: readonly number[],
  display: DrawingDisplay,
): Promise<Style> {
  const wanted = new Set(used.flatMap((i) => icons[i] ?? []));
  const own = { ...set, icons: set.icons.filter((icon) => wanted.has(icon.name)) };
  const rows = new Map(own.icons.map((icon, row) => [icon.name, row]));
  const pixels = await pixelsOf(own, {
    folder: join(home, 'cache'),
    program: `sharp ${installedVersion(home, 'sharp')}`,
    rasterise: colourRasterise(home),
    form: colourForm,
    onProgress: display.show,
  });
  return styleOf(
    own,
    Int32Array.from(used, (i) => rows.get(icons[i] ?? '') ?? -1),
    pixels,
  );
}

function colourRasterise(home: string): Rasterise {
  const sharp = loadSharp(home);
  return async (svg) => sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer();
}
