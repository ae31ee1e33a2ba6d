/** The machine and the versions a report was made with. Refuses to measure anything. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { backends } from 'infcl';
import type { Results } from './results.js';

export function describeMachine(threads?: number): Results['machine'] {
  const cores = os.availableParallelism();
  return {
    cpu: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores,
    memoryBytes: os.totalmem(),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
    infcl: versionOf('infcl'),
    jax: versionOf('@jax-js/jax'),
    isa: backends().find(({ name }) => name === 'cpu')?.isa ?? 'unknown',
    threads: threads ?? cores,
  };
}

/** From the package.json beside or above the package's main file: not every package exports it. */
function versionOf(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name));
  while (dirname(folder) !== folder) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === name) return found.version ?? 'unknown';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    folder = dirname(folder);
  }
  return 'unknown';
}
