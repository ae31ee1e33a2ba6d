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
    'contrastive',
    'contrastiveSync',
    'cpuInfo',
    'cudaInfo',
    'deviceMemory',
    'devicePointer',
    'downloadDevice',
    'memoryAddress',
    'plan',
    'releaseDevice',
    'shareDevice',
    'uploadDevice',
    'wrapDevice',
  ]);
});

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
