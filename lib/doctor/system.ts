/**
 * What is known about the machine and the process without the native addon: system, runtime, processor, memory and
 * environment variables.
 *
 * Refuses to throw and to tell more than a bug report needs: no names of users, machines or folders.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { cpuQuota } from './control-groups';
import type { MemoryInfo, ProcessorInfo, RuntimeInfo, SystemInfo } from './report';

/** Both `dist/doctor` and, in tests, `lib/doctor` are two folders below the root. */
export const packageRoot = path.join(__dirname, '..', '..');

interface Manifest {
  version: string;
  engines: { node: string };
}

export function readManifest(root = packageRoot): Manifest {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
}

/** The text with ~ in place of the home folder, whose name is often that of its owner. */
export function hideHome(text: string, home = homeFolder()): string {
  if (home.length < 2) return text; // "/" and "" are parts of other words
  const escaped = home.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return text.replace(new RegExp(`${escaped}(?![\\w.-])`, 'g'), '~');
}

function homeFolder(): string {
  return attempt(() => os.homedir(), '');
}

/** Deno and Node's permission model refuse some of these questions. */
function attempt<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

const textOf = (file: string) => attempt(() => fs.readFileSync(file, 'utf8'), '');

export function readSystem(): SystemInfo {
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: attempt(() => os.release(), 'unknown'),
    libc: process.platform === 'linux' ? libcName() : null,
  };
}

/** A process that was linked with glibc names the version in Node's report. */
function libcName(): string {
  const { header } = attempt(() => process.report.getReport() as { header?: Record<string, unknown> }, {});
  const version = header?.glibcVersionRuntime;
  if (typeof version === 'string') return `glibc ${version}`;
  return header === undefined ? 'unknown' : 'musl';
}

export function readRuntime(
  wanted: string,
  versions: NodeJS.ProcessVersions = process.versions,
): RuntimeInfo {
  const node = versions.node;
  const other = (['bun', 'deno', 'electron'] as const).find((name) => versions[name] !== undefined);
  const title = other && `${other[0]!.toUpperCase()}${other.slice(1)} ${versions[other]} as `;
  const least = wanted.match(/\d+/g)!.map(Number);
  const own = node.match(/\d+/g)!.map(Number);
  const different = least.findIndex((number, at) => number !== own[at]);
  const supported = different < 0 || own[different]! > least[different]!;
  return { name: `${title ?? ''}Node ${node}`, wanted, supported };
}

/** Features that kernels are compiled for, now or in a later version. */
const usedFeatures =
  /^(sse4_2|avx|avx2|fma|f16c|avx512(f|bw|dq|vl|cd|_bf16)|amx_(bf16|tile)|asimd|fphp|asimdhp|bf16|i8mm|sve|sve2)$/;

export function readProcessor(): ProcessorInfo {
  const cpuinfo = textOf('/proc/cpuinfo');
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1];
  const cpus = attempt(() => os.cpus(), []);
  return {
    model: cpus[0]?.model.trim() || 'unknown',
    count: cpus.length || attempt(() => os.availableParallelism(), 0),
    affinity: /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf('/proc/self/status'))?.[1] ?? null,
    quota: process.platform === 'linux' ? cpuQuota() : null,
    features: flags === undefined ? null : flags.split(' ').filter((name) => usedFeatures.test(name)),
  };
}

export function readMemory(): MemoryInfo {
  const total = attempt(() => os.totalmem(), 0);
  const limit = attempt(() => process.constrainedMemory(), 0);
  const available = attempt(() => process.availableMemory(), 0) || attempt(() => os.freemem(), 0);
  // without a limit, Linux answers with a number beyond all memory
  return { total, available, limit: limit > 0 && limit < total ? limit : null };
}

/** Variables that decide which file is loaded, beside those whose names begin with INFCL_. */
const loaderVariables = [
  'ARM_VERSION',
  'CUDA_VISIBLE_DEVICES',
  'ELECTRON_RUN_AS_NODE',
  'LIBC',
  'PREBUILDS_ONLY',
  'npm_config_arch',
  'npm_config_platform',
];

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const all = attempt(() => Object.entries(env), []);
  const own = all.filter(([name]) => name.startsWith('INFCL_') || loaderVariables.includes(name));
  return Object.fromEntries(own.sort().map(([name, value]) => [name, hideHome(value ?? '')]));
}
