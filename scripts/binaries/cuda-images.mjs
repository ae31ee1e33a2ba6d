/**
 * The CUDA images inside a binary: which kernel file is there for which target. Reads the headers of fatbins, as
 * emulator/fatbin_format.h describes the format. Whether an image is right is a matter for the emulator and for
 * gpu-check.
 *
 * Why JavaScript reads these headers once more, beside the C++ of the emulator: the gate needs names and targets alone, on
 * any machine that builds or packs a binary, and for binaries of other processors. `gpu-check --images` loads images, so it
 * needs a device, and a build with CUDA for this processor. `cuobjdump` is a package of its own, which nvcc does not bring.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the package ships: machine code for each generation, and text that drivers compile for later ones. */
export const shippedTargets = [
  'compute_80',
  'sm_80',
  'sm_86',
  'sm_89',
  'sm_90a',
  'compute_90a',
  'sm_100',
  'sm_120',
];

const magic = Buffer.from([0x50, 0xed, 0x55, 0xba]);
const headerBytes = 16;
const kinds = { 1: 'compute_', 2: 'sm_' };
const thisTargetOnly = 0x100000n;

/** The image whose header begins at `at`, as "scores.cu sm_80", and the place of the next one. Null for other bytes. */
function readImage(bytes, at, end) {
  if (end - at < 64) return null;
  const kind = kinds[bytes.readUInt16LE(at)];
  const next = at + bytes.readUInt32LE(at + 4) + Number(bytes.readBigUInt64LE(at + 8));
  if (!kind || next > end) return null;
  const suffix = bytes.readBigUInt64LE(at + 40) & thisTargetOnly ? 'a' : '';
  const nameAt = at + bytes.readUInt32LE(at + 32);
  const name = bytes.toString('latin1', nameAt, nameAt + bytes.readUInt32LE(at + 36)).replace(/\0+$/, '');
  return { image: `${name} ${kind}${bytes.readUInt32LE(at + 28)}${suffix}`, next };
}

/** All images of a file, as "scores.cu sm_80". Bytes that only look like the beginning of a fatbin have none. */
export function cudaImages(bytes) {
  const found = [];
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (bytes.length - at < headerBytes) break;
    const end = at + headerBytes + Number(bytes.readBigUInt64LE(at + 8));
    if (end > bytes.length) continue;
    for (let one = readImage(bytes, at + headerBytes, end); one; one = readImage(bytes, one.next, end)) {
      found.push(one.image);
    }
  }
  return found;
}

/** The targets of a kernel file. Files for Hopper compile for nothing else, and other files need no text for Hopper. */
function targetsOf(file, targets) {
  if (file.endsWith('_sm90.cu')) return targets.filter((target) => target.endsWith('_90a'));
  return targets.filter((target) => target !== 'compute_90a' || !targets.includes('compute_80'));
}

/** Complaints about a file whose images are not those of all kernel files for all targets. */
export function complainOfImages(file, root, targets = shippedTargets) {
  const files = readdirSync(join(root, 'cuda', 'kernels')).filter((name) => name.endsWith('.cu'));
  const found = cudaImages(readFileSync(file));
  return files.flatMap((kernel) =>
    targetsOf(kernel, targets)
      .filter((target) => !found.includes(`${kernel} ${target}`))
      .map((target) => `has no CUDA image of ${kernel} for ${target}`),
  );
}
