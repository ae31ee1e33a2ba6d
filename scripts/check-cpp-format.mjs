/** clang-format over all C++ and CUDA sources: checks, or rewrites with --write. Needs Debian's clang-format. */
import { execFileSync, spawnSync } from 'node:child_process';

if (spawnSync('clang-format', ['--version']).error) {
  console.error('clang-format not found: install it (Debian: apt-get install clang-format)');
  process.exit(1);
}
const tracked = execFileSync(
  'git',
  ['ls-files', '-co', '--exclude-standard', '*.h', '*.cpp', '*.cu', '*.cuh'],
  {
    encoding: 'utf8',
  },
);
const files = tracked.split('\n').filter(Boolean);
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const { status } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (status === 0) console.log(`clang-format: ${files.length} files`);
process.exit(status ?? 1);
