/**
 * A package without a usable addon: loading it works, calling it says what is wrong and what to do. Uses the
 * compiled loader, copied to a place where no addon is, because that is the situation of a user.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainLoadFailure, loadBinding } from '../../lib/native/load';
import { expectError, thrownBy } from './fake-binding';

const root = join(__dirname, '..', '..');
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'infcl-load-'));
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  mkdirSync(join(copy, 'node_modules'));
  symlinkSync(join(root, 'node_modules', 'node-gyp-build'), join(copy, 'node_modules', 'node-gyp-build'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Runs a script in the copy and parses what it prints. */
function inCopy(script: string): unknown {
  const env = { ...process.env, NODE_OPTIONS: '', INFCL_ISA: '', PREBUILDS_ONLY: '' };
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { cwd: copy, encoding: 'utf8', env }));
}

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
  const { backends, wrongFirst, ...calls } = inCopy(callAll) as Report & { backends: unknown };
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

it('no addon: says for which platform there is none, and how to build it', () => {
  const platform = `${process.platform}-${process.arch}`;
  expectUnavailable(
    new RegExp(
      `^The native addon of infcl could not be loaded: .*no prebuilt binary for ${platform}; build it.*npm install`,
      's',
    ),
  );
});

it('a file that is no addon: says that the binary is for another platform', () => {
  const folder = join(copy, 'build', 'Release');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'infcl.node'),
    'not a library, but long enough to be read as the header of one'.repeat(4),
  );
  expectUnavailable(/could not be loaded: .*(for another platform|Reinstall the package).*npm install/s);
});

describe('explanations', () => {
  it.each([
    [
      'No native build was found for platform=linux arch=x64',
      /There is no prebuilt binary for \S+; build it from source/,
    ],
    ['/lib/libm.so.6: version `GLIBC_2.38’ not found', /C or C\+\+ library is older than the one/],
    ['libstdc++.so.6: version `GLIBCXX_3.4.32’ not found', /C or C\+\+ library is older/],
    ['infcl.node: invalid ELF header', /for another platform .*reinstall, or build it/],
    ['infcl.node is not a valid Win32 application', /for another platform/],
    ['something else entirely', /Reinstall the package, or build it from source/],
  ])('%s', (message, expected) => {
    const cause = new Error(`${message}\nand a second line`);
    const error = explainLoadFailure(cause);
    expectError(error, { type: Error, code: 'ERR_BACKEND_UNAVAILABLE', message: expected });
    expect(error.message).toContain(`could not be loaded: ${message}. `);
    expect(error.message).not.toContain('second line');
    expect(error.cause).toBe(cause);
  });

  it('of what is no Error', () => {
    expect(explainLoadFailure('a string').message).toContain('could not be loaded: a string. ');
    expect(explainLoadFailure({ message: 'from another realm' }).message).toContain(
      'loaded: from another realm. ',
    );
    expect(explainLoadFailure(null).message).toContain('could not be loaded: null. ');
  });
});

it('loads once, and a failure is not remembered', () => {
  expect(loadBinding()).toBe(loadBinding());
  const elsewhere = join(copy, 'dist');
  const failed = thrownBy(() => loadBinding(elsewhere));
  expectError(failed, { type: Error, code: 'ERR_BACKEND_UNAVAILABLE', message: 'could not be loaded' });
  expect(thrownBy(() => loadBinding(elsewhere))).not.toBe(failed);
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
