/**
 * From package folders to a {@link Collection}: reads sets, draws them or reads their pixels, with progress.
 * Refuses to install.
 */

import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { type Collection, collect } from './collection.js';
import { readIconSet } from './icon-set.js';
import { installedVersion } from './install.js';
import { pixelsOf } from './pixel-cache.js';
import { ruleOf } from './sets.js';
import { sharpRasterise } from './sharp.js';

/** @param home The folder `examples/icons`, with packages. @param names Sets to train on. */
export async function loadCollection(
  home: string,
  names: readonly string[],
  unseen: string,
): Promise<Collection> {
  const rasterise = sharpRasterise(home);
  const program = `sharp ${installedVersion(home, 'sharp')}`;
  const parts: Parameters<typeof collect>[0][number][] = [];
  const progress = new DrawingDisplay();
  for (const name of [...names, unseen]) {
    const set = readIconSet(home, ruleOf(name));
    const folder = join(home, 'cache');
    const ink = await pixelsOf(set, { folder, program, rasterise, onProgress: progress.show });
    parts.push({ set, ink });
  }
  progress.stop();
  return collect(parts, unseen);
}

/** A bar on a terminal, a line for each set elsewhere. Shows nothing where all pixels were in the cache. */
export class DrawingDisplay {
  private bar: SingleBar | undefined;

  show = (set: string, drawn: number, icons: number): void => {
    if (!process.stdout.isTTY) {
      if (drawn === icons) console.log(`  drew ${icons} icons of ${set}`);
      return;
    }
    if (this.bar === undefined) {
      this.bar = new SingleBar({ format: '  drawing {set} |{bar}| {value}/{total} icons', hideCursor: true });
      this.bar.start(icons, drawn, { set });
    }
    this.bar.setTotal(icons);
    this.bar.update(drawn, { set });
  };

  stop(): void {
    this.bar?.stop();
  }
}
