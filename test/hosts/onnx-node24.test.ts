/**
 * test/hosts/onnx.test.ts in Node 24, where ONNX Runtime makes a Float16Array of float16 outputs. npm brings this
 * Node on Linux on x64 only; elsewhere the test is skipped.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { node24 } from './node24';

const root = join(__dirname, '..', '..');
const inNode24 = node24 === undefined ? it.skip : it;

inNode24('infcl/onnx passes its tests', () => {
  const jest = require.resolve('jest/bin/jest');
  const args = ['--config', 'test/hosts/jest.config.js', '--runTestsByPath', 'test/hosts/onnx.test.ts'];
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const;
  const { status, stderr } = spawnSync(node24!, [jest, ...args], options);
  expect(stderr).toMatch(/^Tests: +\d+ passed, \d+ total$/m);
  expect(status).toBe(0);
});
