/** CUDA targets in a binary: the doctor's reader and the one of the build's gate find the same. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cudaTargetsOf } from '../../lib/doctor/cuda-images';

const gate = pathToFileURL(join(__dirname, '..', '..', 'scripts', 'binaries', 'cuda-images.mjs')).href;

interface Image {
  kind: 1 | 2;
  architecture: number;
  thisTargetOnly?: boolean;
}

/** A fatbin, as emulator/fatbin_format.h describes it: a header, then each image with a header of its own. */
function fatbin(images: Image[]): Buffer {
  const parts = images.map(({ kind, architecture, thisTargetOnly }) => {
    const header = Buffer.alloc(80);
    header.writeUInt16LE(kind, 0);
    header.writeUInt32LE(80, 4);
    header.writeBigUInt64LE(8n, 8);
    header.writeUInt32LE(architecture, 28);
    header.writeUInt32LE(64, 32);
    header.writeUInt32LE(4, 36);
    header.writeBigUInt64LE(thisTargetOnly ? 0x100000n : 0n, 40);
    header.write('a.cu', 64);
    return Buffer.concat([header, Buffer.alloc(8)]);
  });
  const body = Buffer.concat(parts);
  const begin = Buffer.from([0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  begin.writeBigUInt64LE(BigInt(body.length), 8);
  return Buffer.concat([begin, body]);
}

const noise = Buffer.from([7, 0x50, 0xed, 0x55, 0xba, 9]);
const binary = Buffer.concat([
  noise,
  fatbin([
    { kind: 2, architecture: 90, thisTargetOnly: true },
    { kind: 1, architecture: 80 },
  ]),
  noise,
  fatbin([{ kind: 2, architecture: 120 }]),
  fatbin([{ kind: 2, architecture: 86 }]),
  fatbin([{ kind: 2, architecture: 86 }]),
  noise,
]);

it('finds each target once, sorted', () => {
  expect(cudaTargetsOf(binary)).toEqual(['compute_80', 'sm_86', 'sm_90a', 'sm_120']);
});

it('the gate of the build reads the same targets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-fatbin-'));
  try {
    writeFileSync(join(folder, 'binary'), binary);
    const script = `
      import { readFileSync } from 'node:fs';
      import { cudaImages } from '${gate}';
      console.log(JSON.stringify(cudaImages(readFileSync(${JSON.stringify(join(folder, 'binary'))}))));`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    const targets = (JSON.parse(printed) as string[]).map((image) => image.split(' ')[1]);
    expect([...new Set(targets)].sort()).toEqual(cudaTargetsOf(binary).sort());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each<[string, Buffer]>([
  ['an empty file', Buffer.alloc(0)],
  ['the beginning alone', noise.subarray(1, 5)],
  ['a fatbin whose end is missing', binary.subarray(6, 100)],
  ['an image of length zero', Buffer.concat([fatbin([]), Buffer.alloc(200)])],
])('none in %s', (_, bytes) => {
  expect(cudaTargetsOf(bytes)).toEqual([]);
});
