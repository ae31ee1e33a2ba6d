/**
 * `infcl doctor` as a user runs it, in a copy of the package: the text, the JSON, and each way in which something is
 * wrong. Everything runs from dist, as installed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answer } from '../../lib/doctor/command';
import type { DoctorReport } from '../../lib/doctor/report';
import { readEnd } from '../../lib/doctor/run-examination';
import { addonFile, PackageCopy } from '../lib/package-copy';

const place = 'build/Release/infcl.node';
const addon = readFileSync(addonFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

let copy: PackageCopy;
beforeEach(() => {
  copy = new PackageCopy();
});
afterEach(() => copy.remove());

/** The report, with the exit status that it must have. */
function report(status: number, run: Parameters<PackageCopy['infcl']>[1] = {}): DoctorReport {
  const end = copy.infcl(['doctor', '--json'], run);
  expect([end.stderr, end.status]).toEqual(['', status]);
  return JSON.parse(end.stdout);
}

const noProblem = { loadFailure: null, notes: [], problems: [] };

describe('where all is well', () => {
  beforeEach(() => copy.write(place, addon));

  it('prints the text, and its status is 0', () => {
    const { stdout, stderr, status } = copy.infcl(['doctor']);
    expect([stderr, status]).toEqual(['', 0]);
    const labels = stdout.split('\n').flatMap((line) => /^[a-z-]+/.exec(line) ?? []);
    expect(labels).toEqual([
      ...['infcl', 'system', 'runtime', 'processor', 'quotas', 'memory', 'environment'],
      ...['addon', 'cpu', 'cuda', 'mpi', 'self-test', 'speed'],
    ]);
    expect(stdout).toContain('cpu: 39 of 39 cases are right');
    expect(stdout).toMatch(/\nAll is well\.\n$/);
  });

  it('prints the same as JSON, whose fields have these types', () => {
    const number = expect.any(Number);
    const string = expect.any(String);
    const orNull = (value: unknown, pattern: unknown) => (value === null ? null : pattern);
    const found = report(0);
    expect(found).toEqual({
      schemaVersion: 1,
      infcl: version,
      ok: true,
      system: {
        platform: process.platform,
        arch: process.arch,
        kernel: string,
        libc: orNull(found.system.libc, string),
      },
      runtime: { name: `Node ${process.versions.node}`, wanted: '>=20.17.0', supported: true },
      processor: {
        model: string,
        count: number,
        affinity: orNull(found.processor.affinity, string),
        quota: orNull(found.processor.quota, number),
        features: orNull(found.processor.features, expect.any(Array)),
      },
      memory: { total: number, available: number, limit: orNull(found.memory.limit, number) },
      environment: expect.objectContaining({ INFCL_ISA: '' }),
      addon: {
        file: expect.stringMatching(/infcl\.node$/),
        origin: 'built in a clone',
        platform: `${process.platform}-${process.arch}`,
        bytes: addon.length,
        cudaTargets: expect.any(Array),
      },
      ...noProblem,
      backends: [
        { name: 'cpu', available: true, devices: [string], isa: string },
        expect.objectContaining({ name: 'cuda', available: expect.any(Boolean) }),
      ],
      cpu: { isa: string, isas: expect.arrayContaining(['scalar']), threads: number },
      mpi: expect.objectContaining({ available: expect.any(Boolean) }),
      selfTests: expect.arrayContaining([{ on: 'cpu', cases: 39, failures: [], seconds: number }]),
      timings: expect.arrayContaining([
        {
          on: 'cpu',
          call: 'clip with gradients, 4096 pairs, 256 features, float32',
          seconds: number,
          runs: 2,
          gflopsPerSecond: number,
          isa: string,
          threads: number,
        },
      ]),
    });
    expect(found.timings[0]!.gflopsPerSecond).toBeGreaterThan(0.1);
  });

  it('says where the binary comes from', () => {
    const libc = report(0).system.libc?.split(' ')[0];
    copy.delete('build');
    copy.write(`prebuilds/${process.platform}-${process.arch}/infcl.${libc}.node`, addon);
    expect(report(0).addon!.origin).toBe('prebuilt');
    copy.write('source/build/Release/infcl.node', addon);
    expect(report(0).addon!.origin).toBe('compiled out of the package');
  });

  it('works where Node forbids processes', () => {
    const names = ['--permission', '--experimental-permission'];
    const name = names.find((flag) => process.allowedNodeEnvironmentFlags.has(flag));
    const node = [name ?? names[1]!, '--allow-addons', '--allow-fs-read=*'];
    expect(report(0, { node })).toMatchObject({ ok: true, ...noProblem });
  });

  it('tests an emulated device, and times no call there', () => {
    const devices = [
      { name: 'cpu', available: true, devices: ['Chip'], isa: 'scalar' },
      { name: 'cuda', available: true, devices: ['infcl emulator, sm_80'] },
    ];
    copy.write('dist/backend.js', `exports.backends = () => ${JSON.stringify(devices)};`);
    copy.write(
      'dist/doctor/self-test.js',
      `exports.nameOf = ({ backend }) => backend;
       exports.runSelfTest = ({ backend }) => ({ on: backend, cases: 1, failures: [], seconds: 0 });`,
    );
    // without the other half of the file that was replaced, no call can be timed on the CPU either
    const found = report(1);
    expect(found.selfTests.map(({ on }) => on)).toEqual(['cpu', 'cuda']);
    expect(found.notes).toEqual(['No call was timed on cuda, an emulator, where it would take hours.']);
    expect(found.problems).toEqual([expect.stringMatching(/^The timed call on cpu failed: /)]);
  });

  it('writes ~ for the home folder', () => {
    const found = report(0, { env: { HOME: copy.folder, USERPROFILE: copy.folder } });
    expect(found.addon!.file).toMatch(/^~/);
    expect(JSON.stringify(found)).not.toContain(copy.folder);
  });
});

describe('where something is wrong, the status is 1', () => {
  it('an instruction set that this machine lacks', () => {
    copy.write(place, addon);
    const found = report(1, { env: { INFCL_ISA: 'sse9' } });
    expect(found.problems).toEqual([
      expect.stringMatching(/^The backend cpu does not run: .*INFCL_ISA.*sse9/),
    ]);
    expect(found).toMatchObject({ ok: false, environment: { INFCL_ISA: 'sse9' }, cpu: null });
    expect(found.selfTests.map(({ on }) => on)).not.toContain('cpu');
  });

  it('a CUDA driver that was asked for and is not there', () => {
    copy.write(place, addon);
    const found = report(1, { env: { INFCL_CUDA_LIBRARY: '/nowhere.so' } });
    expect(found.problems).toEqual([
      expect.stringMatching(/^INFCL_CUDA_LIBRARY is set, and the backend cuda does not run: /),
    ]);
    expect(found.selfTests).toEqual([expect.objectContaining({ on: 'cpu', failures: [] })]);
  });

  it('an MPI library that was asked for and is not there', () => {
    copy.write(place, addon);
    const found = report(1, { env: { INFCL_MPI_LIBRARY: '/nowhere/libmpi.so' } });
    expect(found.mpi).toEqual({
      available: false,
      reason: expect.stringContaining('no MPI library was found'),
    });
    expect(found.problems).toEqual([
      expect.stringMatching(/^INFCL_MPI_LIBRARY is set, and no MPI can be used: .*nowhere/),
    ]);
    expect(copy.infcl(['doctor'], { env: { INFCL_MPI_LIBRARY: '/nowhere/libmpi.so' } }).stdout).toMatch(
      /^mpi {10}not available: /m,
    );
  });

  (process.platform === 'win32' ? it.skip : it)('names the MPI library and its layout', () => {
    copy.write(place, addon);
    const library = join(__dirname, '../../build/fake_mpi/libfake_mpich.so');
    const { mpi, ok } = report(0, { env: { INFCL_MPI_LIBRARY: library } });
    expect([ok, mpi]).toEqual([
      true,
      { available: true, library: expect.any(String), layout: 'MPICH', version: 'MPICH Version: 4.0.2' },
    ]);
  });

  it('no addon: the message of the loader, and all that is known without it', () => {
    const { stdout, status } = copy.infcl(['doctor']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^addon {8}not loaded$/m);
    expect(stdout).toContain(
      '  - The native addon of infcl could not be loaded: there is no prebuilt binary',
    );
    expect(stdout).toMatch(/^processor /m);
    expect(report(1)).toMatchObject({ ok: false, addon: null, cpu: null, selfTests: [], timings: [] });
  });

  it('addons that Node forbids', () => {
    copy.write(place, addon);
    expect(report(1, { node: ['--no-addons'] }).loadFailure).toContain('addons are disabled');
  });

  it('a wrong stored value', () => {
    copy.write(place, addon);
    const file = 'dist/doctor/self-test-values.js';
    const text = readFileSync(`${copy.folder}/${file}`, 'utf8');
    const seeded = text.replace(
      /(ntxent: \{\s+loss: )(\d)/,
      (_, head, digit) => `${head}${(Number(digit) + 1) % 10}`,
    );
    expect(seeded).not.toBe(text);
    copy.write(file, seeded);
    const { selfTests } = report(1);
    expect(selfTests[0]!.failures).toHaveLength(4);
    expect(selfTests[0]!.failures[0]).toMatch(/^ntxent, float32: the loss is .* instead of /);
    expect(copy.infcl(['doctor']).stdout).toContain('  - self-test on cpu: ntxent, float32: the loss is ');
  });

  it('an addon that ends its process', () => {
    copy.write(place, addon);
    const die =
      'exports.nameOf = () => "cpu"; exports.runSelfTest = () => process.kill(process.pid, "SIGILL");';
    copy.write('dist/doctor/self-test.js', die);
    const found = report(1);
    expect(found.problems).toEqual([
      'infcl ended its process (SIGILL) during this step: the self-test on cpu',
    ]);
    expect(found).toMatchObject({
      addon: { origin: 'built in a clone' },
      cpu: { threads: expect.any(Number) },
    });
  });

  it('a call that cannot be timed', () => {
    copy.write(place, addon);
    const file = 'dist/doctor/examine.js';
    const text = readFileSync(`${copy.folder}/${file}`, 'utf8');
    copy.write(file, text.replace('timedRows = 4096', 'timedRows = -1'));
    expect(report(1).problems).toEqual([expect.stringMatching(/^The timed call on cpu failed: /)]);
  });
});

describe('a process that does not end well', () => {
  const end = { stdout: '', stderr: '', status: null, signal: null };

  it('is ended where it hangs', () => {
    const error = Object.assign(new Error('spawnSync ETIMEDOUT'), { code: 'ETIMEDOUT' });
    const { problems } = readEnd({ ...end, signal: 'SIGKILL', error });
    expect(problems).toEqual([
      'infcl took more than 5 minutes and was ended during this step: starting a process',
    ]);
  });

  it('has its last words shown, and half a line of its answer left out', () => {
    const stdout = '{"step":"loading the addon","problems":[]}\n{"step":"the self';
    const { problems } = readEnd({ ...end, status: 134, stdout, stderr: 'one\ntwo\nthree\nfour\n' });
    expect(problems).toEqual([
      'infcl ended its process (exit status 134) during this step: loading the addon. Its last words: two three four',
    ]);
  });
});

describe('the command line', () => {
  it('--help and --version', () => {
    expect(copy.infcl(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    const { status, stdout } = copy.infcl(['--help']);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^usage: infcl doctor \[--json\]/)]);
  });

  it.each<[string[], string]>([
    [[], 'infcl: a command is missing: expected doctor'],
    [['docter'], 'infcl: unknown command "docter": expected doctor; did you mean doctor?'],
    [['x'.repeat(1000)], `infcl: unknown command "${'x'.repeat(60)}…": expected doctor`],
    [['doctor', 'me'], 'infcl: doctor takes no argument "me"'],
    [['doctor', '--jsn'], "infcl: Unknown option '--jsn'"],
    [['doctor', '--json=yes'], "infcl: Option '--json' does not take an argument"],
  ])('is refused with status 2: %j', async (args, message) => {
    const { status, stdout, stderr } = await answer(args, () => {
      throw new Error('must not run');
    });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toBe(message);
    expect(stderr).toContain('usage: infcl doctor');
  });

  it('is refused in a process too', () => {
    expect(copy.infcl(['nurse'])).toMatchObject({ status: 2, stdout: '' });
  });

  it('says so where the TypeScript was not compiled', () => {
    copy.delete('dist');
    const { status, stderr } = copy.infcl(['doctor']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('npm run build:ts')]);
  });
});
