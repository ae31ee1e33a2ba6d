/**
 * Quotas of control groups, read from trees of files as systems have them. test/native/cgroup_quota_test.cpp holds the
 * addon's rule to the same cases.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cpuQuota } from '../../lib/doctor/control-groups';

const version2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const version1 =
  '33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n' +
  '34 32 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:10 - cgroup cgroup rw,memory\n';

/** Files by path, below mountinfo and the line of /proc/self/cgroup. */
function quotaOf(mountinfo: string, group: string, files: Record<string, string>): number | null {
  const root = mkdtempSync(join(tmpdir(), 'infcl-groups-'));
  const all = { '/proc/self/mountinfo': mountinfo, '/proc/self/cgroup': group, ...files };
  try {
    for (const [file, text] of Object.entries(all)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return cpuQuota(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('version 2', () => {
  it.each<[string, string, number | null]>([
    ['two processors', '200000 100000\n', 2],
    ['a part of one', '25000 100000\n', 0.25],
    ['of another period', '15000 10000\n', 1.5],
    ['none', 'max 100000\n', null],
    ['the default period', '300000\n', 3],
    ['an empty file', '', null],
    ['no number', 'abc 100000', null],
    ['a period of zero', '100000 0', null],
  ])('%s', (_, limit, quota) => {
    expect(quotaOf(version2, '0::/a/b\n', { '/sys/fs/cgroup/a/b/cpu.max': limit })).toBe(quota);
  });

  it('takes the smallest of all groups above, and of no other', () => {
    const files = {
      '/sys/fs/cgroup/a/b/c/cpu.max': '800000 100000\n',
      '/sys/fs/cgroup/a/b/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/a/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/x/cpu.max': '100000 100000\n',
    };
    expect(quotaOf(version2, '0::/a/b/c\n', files)).toBe(3);
  });

  it('reads the group at the root, and a mount point with a blank', () => {
    expect(quotaOf(version2, '0::/\n', { '/sys/fs/cgroup/cpu.max': '400000 100000\n' })).toBe(4);
    const blank = '30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n';
    expect(quotaOf(blank, '0::/a\n', { '/my groups/a/cpu.max': '200000 100000\n' })).toBe(2);
  });
});

describe('version 1', () => {
  const lines = '9:memory:/m\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n';
  const files = (quota: string, folder = '/sys/fs/cgroup/cpu,cpuacct/docker/1f') => ({
    [`${folder}/cpu.cfs_quota_us`]: quota,
    [`${folder}/cpu.cfs_period_us`]: '100000\n',
  });

  it('two processors, none, and the limit of the group above', () => {
    expect(quotaOf(version1, lines, files('200000\n'))).toBe(2);
    expect(quotaOf(version1, lines, files('-1\n'))).toBeNull();
    const above = { ...files('-1\n'), ...files('50000\n', '/sys/fs/cgroup/cpu,cpuacct/docker') };
    expect(quotaOf(version1, lines, above)).toBe(0.5);
  });

  it.each<[string, string, string]>([
    ['a group below the one that is mounted', '4:cpu:/docker/1f/inner\n', '/cg/inner'],
    ['a path beside it', '4:cpu:/docker/1f2\n', '/cg'],
    ['a path of another namespace', '4:cpu:/docker/1f/../x\n', '/cg'],
  ])('%s', (_, group, folder) => {
    const mount = '33 32 0:30 /docker/1f /cg ro - cgroup cgroup rw,cpu\n';
    expect(quotaOf(mount, group, files('300000\n', folder))).toBe(3);
  });
});

it('takes the smaller limit of both versions', () => {
  const both = `${version1}41 31 0:38 / /unified rw shared:5 - cgroup2 cgroup2 rw\n`;
  const files = {
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '700000\n',
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
    '/unified/b/cpu.max': '200000 100000\n',
  };
  expect(quotaOf(both, '4:cpu,cpuacct:/a\n0::/b\n', files)).toBe(2);
});

it.each(['', '0::', '0:', 'x', '0::a', '::/a', '4:memory:/a', '\n\n:::\n'])(
  'a broken line ends: %j',
  (line) => {
    const files = { '/sys/fs/cgroup/a/cpu.max': '100000 100000\n' };
    expect(quotaOf(version2 + version1, line, files)).toBeNull();
  },
);
