/**
 * For which targets a binary holds CUDA kernels. Reads the headers of fatbins, whose format is described in
 * emulator/fatbin_format.h.
 *
 * Refuses to judge whether the kernels are complete: a gate of the build does that.
 */

const magic = Buffer.from([0x50, 0xed, 0x55, 0xba]);
const headerBytes = 16;
/** Least bytes of the header of one image. */
const imageBytes = 64;
const kinds: Record<number, string> = { 1: 'compute_', 2: 'sm_' };
const thisTargetOnly = 0x100000n;

/** "compute_80", "sm_80" and so on, each once, sorted. Bytes that only look like a fatbin have none. */
export function cudaTargetsOf(bytes: Buffer): string[] {
  const found = new Set<string>();
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (bytes.length - at < headerBytes) break;
    const end = at + headerBytes + Number(bytes.readBigUInt64LE(at + 8));
    if (end <= bytes.length) for (const target of targetsIn(bytes, at + headerBytes, end)) found.add(target);
  }
  return [...found].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function targetsIn(bytes: Buffer, begin: number, end: number): string[] {
  const targets: string[] = [];
  for (let at = begin; end - at >= imageBytes; ) {
    const kind = kinds[bytes.readUInt16LE(at)];
    const next = at + bytes.readUInt32LE(at + 4) + Number(bytes.readBigUInt64LE(at + 8));
    if (kind === undefined || next > end || next <= at) break;
    const suffix = bytes.readBigUInt64LE(at + 40) & thisTargetOnly ? 'a' : '';
    targets.push(`${kind}${bytes.readUInt32LE(at + 28)}${suffix}`);
    at = next;
  }
  return targets;
}
