/**
 * Reads one icon set in the format of Iconify (`icons.json`, `info.json` and `metadata.json` of a package
 * `@iconify-json/<set>`). Refuses aliases, hidden icons, and files of another form.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { captionOf } from './captions.js';
import type { SetRule } from './sets.js';

export interface Drawing {
  /** Markup inside of `<svg>`. */
  body: string;
  /** viewBox: left, top, width, height. */
  box: readonly [number, number, number, number];
}

export interface Icon extends Drawing {
  name: string;
  caption: string;
}

export interface IconSet {
  name: string;
  /** For people, with author and licence as the set itself states them. */
  title: string;
  author: string;
  licence: string;
  version: string;
  icons: Icon[];
}

interface InfoFile {
  name?: string;
  author?: { name?: string };
  license?: { title?: string; spdx?: string };
}

interface IconsFile {
  left?: number;
  top?: number;
  width?: number;
  height?: number;
  icons: Record<
    string,
    { body: string; hidden?: boolean; left?: number; top?: number; width?: number; height?: number }
  >;
}

/** Where a package of `examples/icons` lies. */
export function packageFolder(home: string, set: string): string {
  return join(home, 'node_modules', '@iconify-json', set);
}

/** Throws UsageError where the package is missing or of another form. @param home The folder `examples/icons`. */
export function readIconSet(home: string, { name, keep = () => true }: SetRule): IconSet {
  const folder = packageFolder(home, name);
  const file = readJson<IconsFile>(join(folder, 'icons.json'));
  const info = readJson<InfoFile>(join(folder, 'info.json'));
  const { suffixes = {} } = readJson<{ suffixes?: Record<string, string> }>(join(folder, 'metadata.json'));
  const { version } = readJson<{ version: string }>(join(folder, 'package.json'));
  if (typeof file.icons !== 'object' || file.icons === null) {
    throw new UsageError(`Expected an object "icons" in ${join(folder, 'icons.json')} but found none`);
  }
  const { left = 0, top = 0, width = 16, height = 16 } = file;
  const declared = Object.keys(suffixes);
  const icons = Object.entries(file.icons)
    .filter(([icon, { hidden }]) => !hidden && keep(icon))
    .map(([icon, own]): Icon => {
      const box = [own.left ?? left, own.top ?? top, own.width ?? width, own.height ?? height] as const;
      return { name: icon, caption: captionOf(icon, declared), body: own.body, box };
    })
    .filter(({ caption }) => caption !== '');
  return {
    name,
    title: info.name ?? name,
    author: info.author?.name ?? 'unknown',
    licence: info.license?.spdx ?? info.license?.title ?? 'unknown',
    version,
    icons,
  };
}

export function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`);
  }
}
