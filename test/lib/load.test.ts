/**
 * A package without a usable addon: loading it works, calling it says what is wrong and what to do. Uses the
 * compiled loader, copied to a place where no addon is, because that is the situation of a user.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loadBinding } from '../../lib/native/load';
import { addonFile, PackageCopy } from './package-copy';

const root = join(__dirname, '..', '..');
let copy: PackageCopy;

beforeAll(() => {
  copy = new PackageCopy();
});
afterAll(() => copy.remove());

const callAll = `
  const infcl = require('./dist/index.js');
  const one = { data: new Float32Array(1), shape: [1, 1] };
  const describe = ({ name, code, message }) => ({ name, code, message });
  const thrown = (run) => { try { run(); } catch (error) { return describe(error); } };
  infcl.contrastiveLossAndGrad(one, one).catch(describe).then((async) => console.log(JSON.stringify({
    async,
    sync: thrown(() => infcl.contrastiveLossSync(one, one)),
    plan: thrown(() => infcl.plan({ queries: 1, dim: 1 })),
    wrongFirst: thrown(() => infcl.contrastiveLossSync(one, one, { threads: 0 })),
    backends: infcl.backends(),
  })));
`;

interface Report {
  [call: string]: { name: string; code: string; message: string };
}

function expectUnavailable(message: RegExp): void {
  const { backends, wrongFirst, ...calls } = copy.run(callAll) as Report & { backends: unknown };
  expect(wrongFirst).toMatchObject({ code: 'ERR_VALUE' });
  for (const call of ['async', 'sync', 'plan']) {
    expect(calls[call]).toEqual({
      name: 'Error',
      code: 'ERR_BACKEND_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  }
  const reason = expect.stringMatching(message);
  expect(backends).toEqual(['cpu', 'cuda'].map((name) => ({ name, available: false, reason, devices: [] })));
}

it('no addon: every call says so, and wrong arguments are found before', () => {
  const platform = `${process.platform}-${process.arch}`;
  expectUnavailable(
    new RegExp(`^The native addon of infcl could not be loaded: there is no prebuilt binary for ${platform}`),
  );
});

it('loads once, and a failure is not remembered', () => {
  const script = `
    const { plan } = require('./dist/index.js');
    const run = () => { try { plan({ queries: 1, dim: 1 }); return 'loaded'; } catch ({ code }) { return code; } };
    const before = run();
    require('node:fs').mkdirSync('build/Release', { recursive: true });
    require('node:fs').copyFileSync(${JSON.stringify(addonFile)}, 'build/Release/infcl.node');
    console.log(JSON.stringify([before, run()]));
  `;
  expect(copy.run(script)).toEqual(['ERR_BACKEND_UNAVAILABLE', 'loaded']);
  expect(loadBinding()).toBe(loadBinding());
  expect(Object.keys(loadBinding()).sort()).toEqual([
    'allocateDevice',
    'callGroup',
    'closeGroup',
    'contrastive',
    'contrastiveSync',
    'cpuInfo',
    'cudaInfo',
    'deviceMemory',
    'devicePointer',
    'downloadDevice',
    'failGroup',
    'findMpi',
    'leaveGroup',
    'memoryAddress',
    'openGroup',
    'openMapping',
    'plan',
    'readMapping',
    'refuseGroupCall',
    'releaseDevice',
    'releaseMapping',
    'search',
    'shareDevice',
    'shareMapping',
    'threadGroups',
    'uploadDevice',
    'wrapDevice',
  ]);
});

/** What a process says whose INFCL_THREADS is this text. */
function withThreads(threads: string) {
  const script = `
    const infcl = require(${JSON.stringify(join(root, 'dist', 'index.js'))});
    const rows = { data: new Float32Array(2048 * 256), shape: [2048, 256] };
    const few = { data: new Float32Array(4), shape: [2, 2] };
    const describe = ({ name, code, message }) => ({ name, code, message });
    const attempt = (run) => { try { return run(); } catch (error) { return describe(error); } };
    const threads = (options) => infcl.contrastiveLossSync(rows, rows, options).stats.threads;
    infcl.contrastiveLoss(rows, rows).then(({ stats }) => stats.threads, describe).then((async) =>
      console.log(JSON.stringify({
        async,
        sync: attempt(() => threads({})),
        option: attempt(() => threads({ threads: 2 })),
        plan: attempt(() => (infcl.plan({ queries: 2048, dim: 256 }), 'planned')),
        small: attempt(() => infcl.contrastiveLossSync(few, few).stats.threads),
        available: infcl.backends()[0].available,
      })));
  `;
  const env = { ...process.env, NODE_OPTIONS: '', INFCL_THREADS: threads };
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env }));
}

it('INFCL_THREADS is the number of threads where the option is absent; small calls use fewer', () => {
  const usual = { option: 2, plan: 'planned', small: 1, available: true };
  expect(withThreads('3')).toEqual({ ...usual, async: 3, sync: 3 });
  expect(withThreads('1')).toEqual({ ...usual, async: 1, sync: 1 });
});

it.each(['0', '-1', '2.5', '1025', 'all', ' 2', '99999999999999999999'])(
  'INFCL_THREADS=%j: ERR_VALUE, and the CPU is unavailable',
  (threads) => {
    const message = expect.stringMatching(
      `Expected a whole number from 1 to 1024 for INFCL_THREADS but received ${threads};`,
    );
    const error = { name: 'RangeError', code: 'ERR_VALUE', message };
    const every = { async: error, sync: error, option: error, plan: error, small: error };
    expect(withThreads(threads)).toEqual({ ...every, available: false });
  },
);

it('INFCL_ISA that names no instruction set of this machine: ERR_ISA, and the CPU is unavailable', () => {
  const script = `
    const infcl = require(${JSON.stringify(join(root, 'dist', 'index.js'))});
    const one = { data: new Float32Array(1), shape: [1, 1] };
    const describe = ({ name, code, message }) => ({ name, code, message });
    const thrown = (run) => { try { run(); } catch (error) { return describe(error); } };
    infcl.contrastiveLoss(one, one).catch(describe).then((async) => console.log(JSON.stringify({
      async,
      sync: thrown(() => infcl.contrastiveLossSync(one, one)),
      plan: thrown(() => infcl.plan({ queries: 1, dim: 1 })),
      cpu: infcl.backends()[0],
    })));
  `;
  const env = { ...process.env, NODE_OPTIONS: '', INFCL_ISA: 'mmx' };
  const { cpu, ...errors } = JSON.parse(
    execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env }),
  );
  const message = expect.stringMatching(/Expected one of .*scalar.* for INFCL_ISA but received mmx/);
  const error = { name: 'Error', code: 'ERR_ISA', message };
  expect(errors).toEqual({ async: error, sync: error, plan: error });
  expect(cpu).toEqual({ name: 'cpu', available: false, reason: message, devices: [] });
});
