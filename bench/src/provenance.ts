/** Which commit and which command a result belongs to, without folders of the machine that measured. */
import { spawnSync } from 'node:child_process';
import { basename, isAbsolute, relative } from 'node:path';
import { projectFolder } from './toolchain.js';

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: projectFolder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The commit of the working tree; says so where files differ from this commit. */
export function currentCommit(): string {
  const commit = git('rev-parse', '--short=12', 'HEAD');
  if (!commit) return 'unknown: no git repository';
  return git('status', '--porcelain') ? `${commit}, with uncommitted changes` : commit;
}

/** The command line, whose paths lie below the project or lose their folders. */
export function commandLine(args: readonly string[]): string {
  const shown = args.map((arg) => {
    const [, name = '', value = ''] = /^(--[^=]+=)?(.*)$/s.exec(arg) ?? [];
    if (!isAbsolute(value) && !value.startsWith('..')) return arg;
    const path = isAbsolute(value) ? relative(projectFolder, value) : value;
    return name + (path.startsWith('..') ? basename(value) : path);
  });
  return ['npm run bench:cpu', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ');
}

/**
 * The commit that last changed a file, and its day, or undefined where git does not know. A file of an older run does
 * not name the measured commit, so this commit is the nearest thing that is known.
 */
export function commitOfFile(path: string): string | undefined {
  return git('log', '-1', '--format=%h of %cs', '--', path) || undefined;
}
