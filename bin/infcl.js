#!/usr/bin/env node
/**
 * The command `infcl`. Its code is lib/doctor/command.ts, compiled to dist. This file is not compiled, so that a clone
 * without dist gets a message.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

if (existsSync(join(__dirname, '..', 'dist', 'doctor', 'command.js'))) {
  require('../dist/doctor/command.js').main(process.argv.slice(2));
} else {
  console.error('infcl: the TypeScript was not compiled: run "npm run build:ts" in the clone');
  process.exitCode = 1;
}
