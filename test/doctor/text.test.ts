/** The text of the doctor, for a machine where all is well and for one where nothing is. */
import type { DoctorReport } from '../../lib/doctor/report';
import { hideHome, readEnvironment, readRuntime } from '../../lib/doctor/system';
import { renderText } from '../../lib/doctor/text';

const healthy: DoctorReport = {
  schemaVersion: 1,
  infcl: '0.1.0',
  ok: true,
  system: { platform: 'linux', arch: 'x64', kernel: '6.1.0', libc: 'glibc 2.36' },
  runtime: { name: 'Node 22.1.0', wanted: '>=20.17.0', supported: true },
  processor: { model: 'Chip 9', count: 8, affinity: '0-3', quota: 1.5, features: ['fma', 'avx2'] },
  memory: { total: 16 * 2 ** 30, available: 4 * 2 ** 30, limit: 8 * 2 ** 30 },
  environment: { INFCL_ISA: 'avx2', LIBC: 'glibc' },
  addon: {
    file: '~/app/node_modules/infcl/prebuilds/linux-x64/infcl.glibc.node',
    origin: 'prebuilt',
    platform: 'linux-x64',
    bytes: 3 * 2 ** 20,
    cudaTargets: ['sm_80', 'sm_90a'],
  },
  loadFailure: null,
  backends: [
    { name: 'cpu', available: true, devices: ['Chip 9'], isa: 'avx2' },
    { name: 'cuda', available: false, reason: 'there is no CUDA driver', devices: [] },
  ],
  cpu: { isa: 'avx2', isas: ['scalar', 'avx2', 'avx512'], threads: 1 },
  mpi: { available: true, library: '/usr/lib/libmpi.so.40', layout: 'Open MPI', version: 'Open MPI v4.1.4' },
  selfTests: [{ on: 'cpu', cases: 28, failures: [], seconds: 0.123 }],
  timings: [
    { on: 'cpu', call: 'a call', seconds: 0.25, runs: 2, gflopsPerSecond: 99.7, isa: 'avx2', threads: 1 },
  ],
  notes: ['One thing was left out.', 'And another.'],
  problems: [],
};

it('where all is well', () => {
  expect(renderText(healthy)).toBe(`infcl 0.1.0

system       linux x64, kernel 6.1.0, glibc 2.36
runtime      Node 22.1.0
processor    Chip 9, 8 processors
             fma avx2
quotas       affinity 0-3, quota of 1.5 processors
memory       16.0 GiB, 4.0 GiB available, limit 8.0 GiB
environment  INFCL_ISA=avx2
             LIBC=glibc
addon        ~/app/node_modules/infcl/prebuilds/linux-x64/infcl.glibc.node
             prebuilt, for linux-x64, 3.0 MiB, CUDA for sm_80 sm_90a
cpu          available: Chip 9
             avx2, out of scalar, avx2, avx512; 1 thread
cuda         not available: there is no CUDA driver
mpi          /usr/lib/libmpi.so.40
             layout of Open MPI, Open MPI v4.1.4
self-test    cpu: 28 of 28 cases are right, 0.12 s
speed        cpu: 0.250 s, 100 GFLOP/s (a call; avx2, 1 thread)
notes        One thing was left out.
             And another.

All is well.
`);
});

it('where nothing is', () => {
  const text = renderText({
    ...healthy,
    ok: false,
    system: { platform: 'win32', arch: 'arm64', kernel: '10.0', libc: null },
    runtime: { name: 'Node 18.0.0', wanted: '>=20.17.0', supported: false },
    processor: { model: 'unknown', count: 1, affinity: null, quota: null, features: null },
    memory: { total: 2 ** 30, available: 2 ** 29, limit: null },
    environment: {},
    addon: null,
    mpi: null,
    loadFailure: 'The native addon of infcl could not be loaded: why.',
    selfTests: [{ on: 'cuda 0', cases: 28, failures: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], seconds: 1 }],
    timings: [],
    notes: [],
    problems: ['It broke.'],
  });
  expect(text).toBe(`infcl 0.1.0

system       win32 arm64, kernel 10.0
runtime      Node 18.0.0, needed is >=20.17.0
processor    unknown, 1 processor
             features unknown
quotas       affinity unknown, no quota of a control group
memory       1.0 GiB, 0.5 GiB available, no limit of a control group
environment  none of the variables of infcl is set
addon        not loaded
self-test    cuda 0: 21 of 28 cases are right, 1.00 s

Something is wrong:
  - infcl needs Node >=20.17.0.
  - The native addon of infcl could not be loaded: why.
  - It broke.
  - self-test on cuda 0: a
  - self-test on cuda 0: b
  - self-test on cuda 0: c
  - self-test on cuda 0: d
  - self-test on cuda 0: e
  - self-test on cuda 0: 2 more cases
`);
});

it('without an MPI library', () => {
  const mpi = { available: false, reason: 'no MPI library was found' };
  expect(renderText({ ...healthy, mpi })).toContain(
    '\nmpi          not available: no MPI library was found\n',
  );
});

it.each([
  ['/people/ann/app, and /people/ann', '/people/ann', '~/app, and ~'],
  [
    '/people/anna/app /people/ann-b /people/ann.c',
    '/people/ann',
    '/people/anna/app /people/ann-b /people/ann.c',
  ],
  ['C:\\Users\\Ann\\app', 'C:\\Users\\Ann', '~\\app'],
  ['/root', '/', '/root'],
  ['/root', '', '/root'],
])('the home folder of %j with home %j', (text, home, hidden) => {
  expect(hideHome(text, home)).toBe(hidden);
});

it.each<[string, boolean]>([
  ['20.16.9', false],
  ['20.17.0', true],
  ['18.20.0', false],
  ['22.0.0', true],
])('Node %s is supported: %s', (node, supported) => {
  const runtime = readRuntime('>=20.17.0', { ...process.versions, node });
  expect(runtime).toEqual({ name: `Node ${node}`, wanted: '>=20.17.0', supported });
});

it('another runtime is named', () => {
  const versions = { ...process.versions, node: '24.3.0', bun: '1.4.5' };
  expect(readRuntime('>=20.17.0', versions).name).toBe('Bun 1.4.5 as Node 24.3.0');
});

it('shows the variables of infcl and of its loader, and no others', () => {
  const environment = readEnvironment({
    TOKEN: 'secret',
    npm_config_user: 'ann',
    LIBC: 'musl',
    npm_config_arch: 'arm64',
    INFCL_ISA: 'avx2',
  });
  expect(environment).toEqual({ INFCL_ISA: 'avx2', LIBC: 'musl', npm_config_arch: 'arm64' });
});
