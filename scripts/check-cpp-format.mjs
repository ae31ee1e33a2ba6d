/**
 * clang-format over all C++ and CUDA sources: checks, or rewrites with --write. Needs Debian's clang-format. The
 * formatter leaves comments as their authors wrapped them, so this script looks at the length of lines.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const columns = 110;

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
const long = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) => ([...line].length > columns ? [`${file}:${at + 1}`] : [])),
);
for (const place of long) console.error(`${place}: longer than ${columns} columns: wrap the comment`);
if (status === 0 && long.length === 0) console.log(`clang-format: ${files.length} files`);
process.exit(status || Number(long.length > 0));
