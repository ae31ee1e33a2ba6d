/**
 * Each cause of a failed load, brought about for real in a copy of the package: the message names the cause, what was
 * searched, and what to do. The causes that need another system are messages of that system's loader.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { explainLoadFailure } from '../../lib/native/load-failure';
import { expectError } from './fake-binding';
import { addonFile, PackageCopy } from './package-copy';

const here = `${process.platform}-${process.arch}`;
const libc = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const ourLibc = libc.header.glibcVersionRuntime ? 'glibc' : 'musl';
const prebuilt = `prebuilds/${here}/infcl.${ourLibc}.node`;
const addon = readFileSync(addonFile);

let copy: PackageCopy;
beforeEach(() => {
  copy = new PackageCopy();
});
afterEach(() => copy.remove());

function expectFailure(run: Parameters<PackageCopy['failure']>[0], ...parts: (string | RegExp)[]): void {
  const failure = copy.failure(run);
  expect(failure?.code).toBe('ERR_BACKEND_UNAVAILABLE');
  expect(failure?.message).toMatch(/^The native addon of infcl could not be loaded: /);
  for (const part of parts) expect(failure?.message).toMatch(part);
}

/** The addon with another processor in its header. */
function forProcessor(machine: number): Buffer {
  const bytes = Buffer.from(addon);
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

describe('the addon loads', () => {
  it.each([prebuilt, 'build/Release/infcl.node', 'source/build/Release/infcl.node'])('from %s', (place) => {
    copy.write(place, addon);
    expect(copy.failure()).toBeNull();
  });

  it('from the folder in which a user compiled, before a binary that does not load', () => {
    copy.write(prebuilt, 'broken');
    copy.write('source/build/Release/infcl.node', addon);
    expect(copy.failure()).toBeNull();
  });
});

describe('a package without the right file', () => {
  it('has no binary at all', () => {
    const searched = `Searched: source/build/Release, build/Release, prebuilds/${here} in ${copy.folder}.`;
    expectFailure({}, `: there is no prebuilt binary for ${here}.`, 'npx node-gyp rebuild', searched);
  });

  it('has binaries of other systems', () => {
    copy.write('prebuilds/sunos-x64/infcl.node', addon);
    expectFailure(
      {},
      `no prebuilt binary for ${here}, only ${join('sunos-x64', 'infcl.node')}`,
      'install again',
    );
  });

  it('is a clone without a build', () => {
    copy.write('scripts/build.mjs', '');
    expectFailure({}, '"npm run build" in the clone');
  });

  it('has a binary for another C library', () => {
    copy.write(prebuilt.replace(ourLibc, ourLibc === 'musl' ? 'glibc' : 'musl'), addon);
    expectFailure({}, `for ${here} with the C library ${ourLibc}, only`, 'set the environment variable LIBC');
  });

  it('is told the wrong C library', () => {
    copy.write(prebuilt, addon);
    expectFailure({ env: { LIBC: 'newlib' } }, 'with the C library newlib, only', 'Unset LIBC');
  });

  it.each([
    ['npm_config_arch', 's390x', `${process.platform}-s390x`],
    ['npm_config_platform', 'aix', `aix-${process.arch}`],
  ])('is asked for another platform by %s', (name, value, wanted) => {
    copy.write(prebuilt, addon);
    const cause = `asks for a binary of ${wanted} by ${name}=${value}, but this is Node for ${here}`;
    expectFailure({ env: { [name]: value } }, cause, `Unset ${name}.`);
  });
});

describe('a file that cannot be loaded', () => {
  // the system's loader would end the process that loads the second one
  it.each([10, 1000, addon.length - 1])('is truncated to %d bytes', (bytes) => {
    copy.write(prebuilt, addon.subarray(0, bytes));
    expectFailure({}, `is truncated (${bytes} bytes). `, 'install again');
  });

  it('is no binary', () => {
    copy.write(prebuilt, 'version https://example.org/a-pointer-to-a-large-file/v1\n'.repeat(3));
    expectFailure({}, 'is no native binary', 'install again');
  });

  it('is for another processor', () => {
    const other = process.arch === 'arm64' ? ([62, 'x64'] as const) : ([183, 'arm64'] as const);
    copy.write(prebuilt, forProcessor(other[0]));
    expectFailure({}, `is for linux-${other[1]}, and this is Node for ${here}`, 'install again');
  });

  it.each([
    [
      'win32-x64',
      Buffer.concat([
        Buffer.from('MZ'.padEnd(60, '\0')),
        Buffer.from([64, 0, 0, 0, 80, 69, 0, 0, 0x64, 0x86]),
      ]),
    ],
    ['darwin-arm64', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1])],
  ])('is for %s', (platform, header) => {
    copy.write(prebuilt, Buffer.concat([header, Buffer.alloc(200)]));
    expectFailure({}, `is for ${platform}, and this is Node for ${here}`);
  });
});

describe('a process that forbids addons', () => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  beforeEach(() => copy.write(prebuilt, addon));

  it('by --no-addons', () => {
    expectFailure({ node: ['--no-addons'] }, 'addons are disabled in this process or worker by --no-addons');
  });

  it('by --permission', () => {
    const node = [permission, '--allow-fs-read=*'];
    expectFailure({ node }, 'started with --permission, which forbids addons. Add --allow-addons.');
    expect(copy.failure({ node: [...node, '--allow-addons'] })).toBeNull();
  });

  it('by --permission for one file', () => {
    const node = [permission, '--allow-addons', `--allow-fs-read=${copy.folder}/*`];
    expectFailure({ node }, 'which forbids a file', '--allow-fs-read=/etc/alpine-release');
    expect(copy.failure({ node: [...node, '--allow-fs-read=/etc/alpine-release'] })).toBeNull();
  });
});

describe('a bundle', () => {
  it('leaves another package around the code', () => {
    copy.write(prebuilt, addon);
    copy.delete(prebuilt);
    copy.write('package.json', '{ "name": "an-application" }');
    expectFailure({}, 'infcl was bundled', 'package.json is not the one of infcl', 'Mark infcl as external');
  });

  it('of ES modules has no __dirname', () => {
    expect(explainLoadFailure(new ReferenceError('__dirname is not defined'), undefined).message).toMatch(
      /: infcl was bundled, and so its code is no longer beside its binary\. Mark infcl as external in your bundler .*deploy node_modules\/infcl\.$/,
    );
  });

  it('of infcl/index.mjs alone says so at its start', () => {
    copy.write('app/app.mjs', readFileSync(join(copy.folder, 'dist', 'index.mjs')));
    copy.write('package.json', '{ "name": "an-application" }');
    const message = copy.run(
      `import('./app/app.mjs').catch(({ message }) => console.log(JSON.stringify(message)));`,
    );
    expect(message).toMatch(/^infcl was bundled, .* mark infcl as external in your bundler/);
  });
});

describe('messages of loaders', () => {
  const root = join(__dirname, '..', '..');

  it.each([
    [
      '/lib/libm.so.6: version `GLIBC_2.38’ not found',
      /C or C\+\+ library is older than the one .*GLIBC_2\.38/,
    ],
    ['libstdc++.so.6: version `GLIBCXX_3.4.32’ not found', /C or C\+\+ library is older/],
    ['libc.musl-x86_64.so.1: cannot open shared object file', /for the C library musl.* LIBC=glibc, which/],
    [
      'Error loading shared library ld-linux-x86-64.so.2: No such file',
      /for the C library glibc.* LIBC=musl, which/,
    ],
    [
      'Error relocating infcl.node: __exp_finite: symbol not found',
      /for the C library glibc.* LIBC=musl, which/,
    ],
    [
      'Requires ffi access to "/a/b.node", run again with the --allow-ffi flag',
      /Deno forbids it .* Add --allow-ffi: infcl needs --allow-read, --allow-ffi and --allow-env\./,
    ],
    [
      'something else entirely',
      /loaded: something else entirely\. Reinstall the package, or build it: "npm run/,
    ],
  ])('%s', (message, expected) => {
    const cause = new Error(`${message}\nand a second line`);
    const error = explainLoadFailure(cause, root);
    expectError(error, { type: Error, code: 'ERR_BACKEND_UNAVAILABLE', message: expected });
    expect(error.message).not.toContain('second line');
    expect(error.cause).toBe(cause);
  });

  it('of Deno, which throws at each look at the environment without --allow-env', () => {
    const message = 'Requires env access to "PREBUILDS_ONLY", run again with the --allow-env flag';
    const denied = () => {
      throw new Error(message);
    };
    const environment = Object.getOwnPropertyDescriptor(process, 'env')!;
    Object.defineProperty(process, 'env', {
      ...environment,
      value: new Proxy({}, { get: denied, has: denied }),
    });
    try {
      const error = explainLoadFailure(new Error(message), root);
      expect(error.message).toMatch(
        /could not be loaded: Deno forbids it \(Requires env access .* Add --allow-env: /,
      );
      expect(error.message).toContain(`prebuilds/${here} in ${root}`);
    } finally {
      Object.defineProperty(process, 'env', environment);
    }
  });

  it.each([
    ['a string', 'a string'],
    [{ message: 'from another realm' }, 'from another realm'],
    [null, 'null'],
  ])('that are no Error: %j', (thrown, text) => {
    expect(explainLoadFailure(thrown, root).message).toContain(`could not be loaded: ${text}. `);
  });
});
