/**
 * Makes sure that the packages of a demo are there, in the pinned versions: asks npm to install them where
 * they are not. `examples/icons` is such a folder. Refuses to fetch anything by itself, and to run install
 * scripts.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OutputError } from '../../errors.js';

/** `examples/icons` of this clone. */
export function iconsHome(): string {
  // from examples/dist/icons/data
  return fileURLToPath(new URL('../../../icons', import.meta.url));
}

/** Names of packages that are missing or of another version than the pinned one. */
export function missingPackages(home: string): string[] {
  const { dependencies } = readPackage(home) as { dependencies: Record<string, string> };
  return Object.entries(dependencies)
    .filter(([name, version]) => readPackage(join(home, 'node_modules', name))?.version !== version)
    .map(([name]) => name);
}

/** The version of an installed package. */
export function installedVersion(home: string, name: string): string {
  return readPackage(join(home, 'node_modules', name))?.version ?? 'none';
}

/** What a folder of packages holds, for messages. */
export interface PackageFolder {
  /** "icon sets", for example. */
  what: string;
  /** What they take on disk. */
  megabytes: number;
}

const iconPackages: PackageFolder = { what: 'icon sets', megabytes: 70 };

/** Installs what is missing, with npm's own messages. Throws OutputError where npm fails. */
export async function ensureInstalled(
  home: string,
  { what, megabytes }: PackageFolder = iconPackages,
): Promise<void> {
  const missing = missingPackages(home);
  if (missing.length === 0) return;
  console.log(
    `Installing ${missing.length} packages into ${home} (about ${megabytes} MB, the first time only)`,
  );
  const args = ['ci', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('npm', args, {
      // a terminal sees npm's progress
      stdio: ['ignore', 'inherit', 'inherit'],
      // npm runs the demo, and its settings for the clone's root are not those of this folder
      env: withoutNpm(process.env),
      shell: process.platform === 'win32',
    });
    child.on('error', reject);
    child.on('exit', resolve);
  }).catch((error: Error) => {
    throw new OutputError(`Cannot start npm to install ${what}: ${error.message}`);
  });
  const left = missingPackages(home);
  if (code !== 0 || left.length > 0) {
    const lacking = left.length > 0 ? ` (${left.join(', ')})` : '';
    throw new OutputError(
      `npm could not install the ${what}${lacking}: see its message above, then run "npm ci --prefix ${home}"`,
    );
  }
}

function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = ['npm_config_registry', 'npm_config_userconfig', 'npm_config_cache'];
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('npm_') || own.includes(name.toLowerCase())),
  );
}

function readPackage(folder: string): { version?: string; dependencies?: object } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string };
  } catch {
    return undefined;
  }
}
