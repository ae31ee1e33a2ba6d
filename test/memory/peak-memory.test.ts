/**
 * Memory is linear in the batch, by the law that docs/performance.md states, measured by the kernel in a child process.
 * The shapes are small enough for a test; `npm run bench:cpu -- --only memory` measures the same at full size.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PeakAnswer, PeakRequest } from './measure-peak';

const mebibyte = 2 ** 20;
const registerTypescript = join(__dirname, '..', 'child', 'register-typescript.cjs');

async function measurePeak(request: PeakRequest): Promise<PeakAnswer> {
  const args = ['-r', registerTypescript, join(__dirname, 'measure-peak.ts'), JSON.stringify(request)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as PeakAnswer;
}

const linux = process.platform === 'linux';
if (!linux) console.warn('peak memory is measured through /proc: SKIPPED on this platform');

(linux ? describe : describe.skip)('peak resident memory during the call', () => {
  const rows = 16_384;

  it.each([
    { dim: 64, limit: 3.6 },
    { dim: 160, limit: 3.6 },
    { dim: 64, limit: 2.1, workspaceBytes: 64 * mebibyte },
    { dim: 160, limit: 2.1, workspaceBytes: 64 * mebibyte },
  ])(
    'D = $dim, workspace $workspaceBytes: at most $limit x B D 4 bytes + 64 MiB',
    async ({ dim, limit, workspaceBytes }) => {
      const { growthBytes, stats, loss } = await measurePeak({ rows, dim, workspaceBytes });
      const features = rows * dim * 4;
      expect(loss).toBeGreaterThan(0);
      expect(growthBytes).toBeGreaterThan(2 * features); // the gradients at least, or nothing was measured
      expect(growthBytes).toBeLessThanOrEqual(limit * features + 64 * mebibyte);
      // what the planner says is what the kernel sees: gradients, workspace, and little else
      expect(growthBytes).toBeLessThanOrEqual(2 * features + stats.workspaceBytes + 16 * mebibyte);
      expect(stats.workspaceBytes).toBeLessThanOrEqual(workspaceBytes ?? Number.POSITIVE_INFINITY);
    },
  );
});
