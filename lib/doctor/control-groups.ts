/**
 * The processor time that Linux's control groups grant this process: the rule of csrc/cpu/cgroup_quota.cpp, for a
 * report that has to exist also where the addon does not load.
 *
 * Refuses to throw: a file that cannot be read sets no limit.
 */

import fs from 'node:fs';
import path from 'node:path';

interface Mount {
  isVersion2: boolean;
  /** The group that is mounted. */
  top: string;
  /** The folder of that group. */
  point: string;
}

/** Processors' worth of time, the least of all limits. Null: no limit. `root` stands for "/" in tests. */
export function cpuQuota(root = '/'): number | null {
  const mounts = linesOf(path.join(root, 'proc/self/mountinfo')).flatMap((line) => parseMount(line) ?? []);
  const limits = mounts.flatMap((mount) => limitsIn(root, mount));
  return limits.length > 0 ? Math.min(...limits) : null;
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const linesOf = (file: string) => textOf(file).split('\n').filter(Boolean);

/** A line such as "36 25 0:31 /top /point rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct". */
function parseMount(line: string): Mount | null {
  const words = line.split(' ');
  const dash = words.indexOf('-');
  if (dash < 6 || words.length < dash + 4) return null;
  const isVersion2 = words[dash + 1] === 'cgroup2';
  const isCpu = words[dash + 1] === 'cgroup' && words[dash + 3]!.split(',').includes('cpu');
  return isVersion2 || isCpu ? { isVersion2, top: decode(words[3]!), point: decode(words[4]!) } : null;
}

/** mountinfo writes a blank as an octal code: "\040". */
function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The path of the process's group in a hierarchy, "" where no line names one. */
function groupPath(root: string, isVersion2: boolean): string {
  for (const line of linesOf(path.join(root, 'proc/self/cgroup'))) {
    const [, id, controllers, group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (group === undefined) continue;
    if (isVersion2 ? id === '0' && controllers === '' : controllers!.split(',').includes('cpu')) return group;
  }
  return '';
}

/**
 * The limits of the process's group and of all mounted groups above. A path that does not lie below the mounted
 * group belongs to another namespace: then the mounted group is the process's own.
 */
function limitsIn(root: string, { isVersion2, top, point }: Mount): number[] {
  const group = groupPath(root, isVersion2);
  if (group === '') return [];
  const above = top === '/' ? '' : top;
  const isBelow = `${group}/`.startsWith(`${above}/`) && !group.split('/').includes('..');
  const names = (isBelow ? group.slice(above.length) : '').split('/').filter(Boolean);
  const folders = Array.from({ length: names.length + 1 }, (_, count) => names.slice(0, count).join('/'));
  const limitOf = isVersion2 ? limitOfVersion2 : limitOfVersion1;
  return folders.flatMap((folder) => limitOf(path.join(root, point, folder)) ?? []);
}

function limitOfVersion2(folder: string): number | null {
  const [quota = '', period = '100000'] = textOf(path.join(folder, 'cpu.max')).trim().split(/\s+/);
  return ratio(quota, period);
}

function limitOfVersion1(folder: string): number | null {
  const [quota, period] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) =>
    textOf(path.join(folder, name)).trim(),
  );
  return ratio(quota!, period!);
}

/** Null for "max", "-1" and whatever else is no positive number. */
function ratio(quota: string, period: string): number | null {
  const value = Number(quota) / Number(period);
  return Number(quota) > 0 && Number(period) > 0 && Number.isFinite(value) ? value : null;
}
