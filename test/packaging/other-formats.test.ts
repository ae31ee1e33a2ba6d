/** The gates of binaries for Windows and macOS (scripts/binaries) find each fault that a binary may have. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { machOFile, peFile } from './made-up-binaries';

const root = path.resolve(__dirname, '..', '..');

/** What a check of an ES module returns. Jest itself loads no ES modules. */
function check(module: string, name: string, bytes: Buffer, rules: object): string[] {
  const file = path.join(folder, 'addon.node');
  writeFileSync(file, bytes);
  const url = pathToFileURL(path.join(root, 'scripts', 'binaries', module)).href;
  const program = `import { ${name} as f } from '${url}';
    console.log(JSON.stringify(f(...JSON.parse(process.argv[1]))));`;
  const words = ['--input-type=module', '-e', program, JSON.stringify([file, rules])];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'infcl-formats-')));
});
afterAll(() => rmSync(folder, { recursive: true }));

const damaged = /^is cut off or damaged: /;

type Fault<Facts> = [string, Facts | Buffer, RegExp];

describe('gates of a binary for Windows', () => {
  const libraries = ['node.exe', 'KERNEL32.dll', 'msvcrt.dll'];
  const complaints = (bytes: Buffer, rules = {}) =>
    check('pe-gates.mjs', 'checkPe', bytes, { machine: 'x64', libraries, bytes: 1e6, root, ...rules });

  test('a good binary has no complaints', () => {
    expect(complaints(peFile())).toEqual([]);
  });

  const notPe = /^is no program of 64 bits for Windows$/;
  const faults: Fault<Parameters<typeof peFile>[0]>[] = [
    ['a file that is too short', Buffer.from('MZ'), notPe],
    ['another kind of file', Buffer.alloc(0x200, 'x'), notPe],
    ['a header that is cut off', peFile().subarray(0, 0x50), damaged],
    ['a table that is cut off', peFile().subarray(0, 0x210), damaged],
    ['a program of DOS', { magic: 'NE\0\0' }, notPe],
    ['32 bits', { optional: 0x10b }, notPe],
    ['another processor', { machine: 0xaa64 }, /^is for arm64, expected x64$/],
    ['a processor that nobody knows', { machine: 0x1c0 }, /^is for an unknown processor, expected x64$/],
    ['a program and no library', { kind: 0 }, /^is no library$/],
    ['a fixed address', { flags: 0x100 }, /^does not ask Windows for a random address \(DYNAMICBASE\)$/],
    ['data that is code', { flags: 0x40 }, /^does not ask Windows for data that is no code \(NXCOMPAT\)$/],
    [
      'a library more',
      { needed: ['node.exe', 'libstdc++-6.dll'] },
      /^needs libstdc\+\+-6\.dll, expected nothing beyond node\.exe, KERNEL32\.dll, msvcrt\.dll$/,
    ],
    [
      'Node-API of nobody',
      { needed: ['KERNEL32.dll'] },
      /^does not take the names of Node-API from node\.exe$/,
    ],
    ['no libraries', { needed: [] }, /^does not take the names of Node-API from node\.exe$/],
    [
      'a name too few',
      { exported: ['napi_register_module_v1'] },
      /^exports napi_register_module_v1, expected/,
    ],
    [
      'a name too many',
      { exported: ['napi_register_module_v1', 'node_api_module_get_api_version_v1', 'other'] },
      /^exports .*other, expected napi_register_module_v1 and node_api_module_get_api_version_v1$/,
    ],
    ['no names', { exported: [] }, /^exports , expected/],
    ['a folder of this machine', { extra: `${root}/x` }, /^names the folder .* of the machine that built/],
  ];
  test.each(faults)('%s is found', (_, fault, complaint) => {
    const found = complaints(Buffer.isBuffer(fault) ? fault : peFile(fault));
    expect(found).toContainEqual(expect.stringMatching(complaint));
    expect(found).toHaveLength(1);
  });

  test('too many bytes are found', () => {
    expect(complaints(peFile(), { bytes: 100 })).toEqual([expect.stringMatching(/^has \d+ bytes, expected/)]);
  });
});

describe('gates of a binary for macOS', () => {
  const libraries = ['/usr/lib/libSystem.B.dylib'];
  const complaints = (bytes: Buffer, rules = {}) =>
    check('macho-gates.mjs', 'checkMachO', bytes, { oldest: '11.0', libraries, bytes: 1e6, root, ...rules });

  test.each([
    ['a good binary', {}],
    ['a library that is no bundle', { kind: 6 }],
    ['an older macOS', { oldest: [10, 15] as [number, number] }],
    ['a version in the older form', { oldCommand: true }],
    ['a name more, since the linker cannot hide names of libc++', { exported: goodNames('_other') }],
    ['a signature of somebody', { signature: 'signed' as const }],
  ])('%s has no complaints', (_, facts) => {
    expect(complaints(machOFile(facts))).toEqual([]);
  });

  const notMachO = /^is no program of 64 bits for macOS$/;
  const faults: Fault<Parameters<typeof machOFile>[0]>[] = [
    ['a file that is too short', Buffer.from([0xcf, 0xfa, 0xed, 0xfe]), notMachO],
    ['a list of commands that is cut off', machOFile().subarray(0, 0x30), damaged],
    ['a signature that is cut off', machOFile().subarray(0, 0x250), damaged],
    ['a command without a size', { emptyCommand: true }, damaged],
    ['32 bits', { magic: 0xfeedface }, notMachO],
    ['another processor', { machine: 0x01000007 }, /^is not for arm64$/],
    ['a program and no library', { kind: 2 }, /^is no library$/],
    [
      'a library more',
      { needed: [...libraries, '/opt/libomp.dylib'] },
      /^needs \/opt\/libomp\.dylib, expected nothing beyond \/usr\/lib\/libSystem\.B\.dylib$/,
    ],
    ['a newer macOS', { oldest: [11, 1] }, /^starts with macOS 11\.1, expected 11\.0 or older$/],
    [
      'a newer macOS in the older form',
      { oldest: [12, 0], oldCommand: true },
      /^starts with macOS 12\.0, expected/,
    ],
    ['no version', { oldest: null }, /^starts with macOS of an unknown version, expected 11\.0 or older$/],
    ['no signature', { signature: null }, /^has no signature$/],
    ['a signature that cannot be read', { signature: 'damaged' }, /^has no signature$/],
    [
      'a name too few',
      { exported: ['_napi_register_module_v1'] },
      /^does not export node_api_module_get_api_version_v1$/,
    ],
    ['names that are hidden', { symbolKind: 0x1f }, /^does not export napi_register_module_v1 and node_api/],
    ['names that it only asks for', { symbolKind: 0x01 }, /^does not export napi_register_module_v1 and/],
    ['a folder of this machine', { extra: `${root}/x` }, /^names the folder .* of the machine that built/],
  ];
  test.each(faults)('%s is found', (_, fault, complaint) => {
    const found = complaints(Buffer.isBuffer(fault) ? fault : machOFile(fault));
    expect(found).toContainEqual(expect.stringMatching(complaint));
    expect(found).toHaveLength(1);
  });

  test('too many bytes are found', () => {
    expect(complaints(machOFile(), { bytes: 100 })).toEqual([expect.stringMatching(/^has \d+ bytes/)]);
  });
});

function goodNames(...more: string[]) {
  return ['_napi_register_module_v1', '_node_api_module_get_api_version_v1', ...more];
}
