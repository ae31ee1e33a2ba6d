/** The gates of binaries (scripts/binaries) find each fault that a binary may have, and the command line refuses nonsense. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(__dirname, '..', '..');
const modules = path.join(root, 'scripts', 'binaries');

/** What an exported function of an ES module of scripts/binaries returns. Jest itself loads no ES modules. */
function call(file: string, name: string, ...args: unknown[]): unknown {
  const url = pathToFileURL(path.join(modules, file)).href;
  const program = `import { ${name} as f } from '${url}';
    console.log(JSON.stringify(f(...JSON.parse(process.argv[1]))));`;
  const words = ['--input-type=module', '-e', program, JSON.stringify(args)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

describe('gates of a binary for Linux', () => {
  let folder: string;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'infcl-gates-')));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const machines: Record<string, string> = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };
  const entries = `#define OUT extern "C" __attribute__((visibility("default")))
    OUT int napi_register_module_v1() { return 1; }
    OUT int node_api_module_get_api_version_v1() { return 8; }`;

  /** Complaints about an addon with more source text and more flags of the linker, under rules that differ. */
  function complaintsAbout({ source = '', flags = [] as string[], rules = {} } = {}) {
    const [text, file] = [path.join(folder, 'addon.cpp'), path.join(folder, 'addon.node')];
    writeFileSync(text, `${entries}\n${source}\n`);
    const hidden = ['-shared', '-fPIC', '-fvisibility=hidden', '-Wl,-z,noexecstack'];
    execFileSync('g++', [...hidden, text, '-o', file, ...flags]);
    const needed = ['libc.so.6', 'libm.so.6', 'libgcc_s.so.1'];
    return call('gates.mjs', 'checkElf', file, {
      ...{ machine: machines[process.arch], glibc: '99.0', needed, bytes: 1e6, root },
      ...rules,
    });
  }
  const prints = '#include <cstdio>\nOUT int napi_x() { return std::puts("x"); }';
  /** g++ lists libstdc++ as a needed library of every program in C++, unless the library has no user. */
  const lean = ['-Wl,--as-needed'];

  test('a good binary has no complaints', () => {
    expect(complaintsAbout({ flags: lean })).toEqual([]);
  });

  test.each([
    ['an exported name more', { source: 'OUT int other() { return 0; }' }, /^exports 3 symbols \(.*other/],
    [
      'a newer glibc',
      { source: prints, rules: { glibc: '1.9' } },
      /^needs \w+ of glibc [\d.]+, expected 1\.9 or older$/,
    ],
    ['any glibc where none may be', { source: prints, rules: { glibc: null } }, /^needs \w+ of glibc$/],
    [
      'libstdc++ outside',
      { source: '#include <stdexcept>\nOUT void napi_x() { throw std::runtime_error("x"); }' },
      /^needs \w+ of (GLIBCXX|CXXABI)_[\d.]+, which must be inside$/,
    ],
    [
      'a library more',
      { flags: ['-Wl,--no-as-needed', '-lrt', '-lresolv'] },
      /^needs lib\w+\.so\.\d+, expected nothing beyond/,
    ],
    [
      'a name that nobody has',
      {
        source:
          'extern "C" int nobody(); int (*const volatile f)() = nobody;\nOUT int napi_y() { return f(); }',
      },
      /^needs nobody, which nobody has$/,
    ],
    ['a folder for libraries', { flags: ['-Wl,-rpath,/opt/x'] }, /^looks for libraries in \/opt\/x$/],
    [
      'a stack that can run code',
      { flags: ['-Wl,-z,execstack'] },
      /^asks for a stack with flags RWE, expected RW$/,
    ],
    [
      'a folder of this machine',
      { source: `OUT const char* napi_z() { return "${root}/x"; }` },
      /^names the folder/,
    ],
    ['too many bytes', { rules: { bytes: 1000 } }, /^has \d+ bytes, expected at most 1000$/],
    ['another processor', { rules: { machine: 'MIPS' } }, /^is for .*, expected MIPS$/],
  ])('%s is found', (_, fault, complaint) => {
    expect(
      complaintsAbout({ ...fault, flags: [...lean, ...('flags' in fault ? fault.flags : [])] }),
    ).toContainEqual(expect.stringMatching(complaint));
  });

  test('versions are compared by their numbers', () => {
    expect(call('old-symbols.mjs', 'compareVersions', '2.2.5', '2.17')).toBeLessThan(0);
    expect(call('old-symbols.mjs', 'compareVersions', '2.34', '2.4')).toBeGreaterThan(0);
    expect(call('old-symbols.mjs', 'compareVersions', '2.17', '2.17.0')).toBe(0);
  });
});

describe('CUDA images in a binary', () => {
  let folder: string;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'infcl-images-')));
    mkdirSync(path.join(folder, 'cuda', 'kernels'), { recursive: true });
    for (const name of ['fold.cu', 'fold_sm90.cu', 'fold.cuh'])
      writeFileSync(path.join(folder, 'cuda', 'kernels', name), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A fatbin with one image of three bytes. */
  function fatbin(name: string, kind: 'ptx' | 'elf', architecture: number, suffix = '') {
    const header = Buffer.alloc(64 + 16);
    header.writeUInt16LE(kind === 'ptx' ? 1 : 2, 0);
    header.writeUInt32LE(header.length, 4);
    header.writeBigUInt64LE(8n, 8);
    header.writeUInt32LE(architecture, 28);
    header.writeUInt32LE(64, 32);
    header.writeUInt32LE(name.length, 36);
    header.writeBigUInt64LE(suffix === 'a' ? 0x100000n : 0n, 40);
    header.write(name, 64);
    const begin = Buffer.from([0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    begin.writeBigUInt64LE(BigInt(header.length + 8), 8);
    return Buffer.concat([begin, header, Buffer.alloc(8)]);
  }

  function complaintsAbout(images: Buffer[], targets: string[]) {
    const file = path.join(folder, 'images');
    writeFileSync(file, Buffer.concat(images));
    return call('cuda-images.mjs', 'complainOfImages', file, folder, targets);
  }
  const all = [
    fatbin('fold.cu', 'ptx', 80),
    fatbin('fold.cu', 'elf', 90, 'a'),
    fatbin('fold_sm90.cu', 'elf', 90, 'a'),
    fatbin('fold_sm90.cu', 'ptx', 90, 'a'),
  ];
  const targets = ['compute_80', 'sm_90a', 'compute_90a'];

  test('nothing is missed where all are there, between other bytes', () => {
    const noise = Buffer.from([7, 0x50, 0xed, 0x55, 0xba, 9]); // looks like a beginning
    expect(complaintsAbout([noise, ...all.flatMap((image) => [image, noise])], targets)).toEqual([]);
  });

  test.each([0, 1, 2, 3])('image %i is missed', (at) => {
    expect(complaintsAbout(all.toSpliced(at, 1), targets)).toHaveLength(1);
  });

  test('a target that no image has is named', () => {
    expect(complaintsAbout(all, [...targets, 'sm_100'])).toEqual(['has no CUDA image of fold.cu for sm_100']);
  });
});

describe('the comparison of two runs', () => {
  const one = (isa: string, loss: string, grads: string) => ({
    ...{ name: 'clip', isa },
    ...{ numbers: { loss }, hashes: { queryGrads: grads } },
  });
  const run = (of: ReturnType<typeof one>, inWorker = of) => ({
    cases: [of],
    async: of,
    workers: [inWorker],
  });
  const good = one('avx2', 'aa', 'bb');

  test('equal runs do not differ', () => {
    expect(call('installed.mjs', 'differences', run(good), run(good))).toEqual([]);
  });

  test.each([
    ['clip: ran on scalar, expected avx2', run(one('scalar', 'aa', 'bb'))],
    ['clip: loss is ac, expected aa', run(one('avx2', 'ac', 'bb'))],
    ['clip: other bits in queryGrads', run(one('avx2', 'aa', 'bc'))],
    ['an asynchronous call: other bits in queryGrads', run(good, one('avx2', 'aa', 'bc'))],
    ['another number of cases', { cases: [], async: good, workers: [] }],
  ])('%s', (line, found) => {
    expect(call('installed.mjs', 'differences', run(good), found)).toContain(line);
  });
});

describe('the command line of build-binaries', () => {
  function build(words: string[], env: NodeJS.ProcessEnv = process.env) {
    const script = path.join(root, 'scripts', 'build-binaries.mjs');
    return spawnSync(process.execPath, [script, ...words], { encoding: 'utf8', env });
  }

  test.each([
    [['linux-x64'], 'unknown target "linux-x64"'],
    [['--force'], 'unknown option --force'],
    [['--list', 'linux-x64-glibc'], '--list takes no targets'],
  ])('%j is refused', (words, message) => {
    const { status, stdout, stderr } = build(words);
    expect(stderr).toContain(message);
    expect(stderr).toContain('linux-x64-glibc');
    expect([status, stdout]).toEqual([2, '']);
  });

  test('a target whose compiler is not here is an error before anything is built', () => {
    const { status, stdout, stderr } = build(['linux-x64-glibc'], { PATH: '/nowhere', INFCL_CUDA: 'OFF' });
    expect(stderr).toContain('NOT BUILT: linux-x64-glibc: this machine lacks g++ (Debian package g++)');
    expect([status, stdout]).toEqual([1, '']);
  });
});
