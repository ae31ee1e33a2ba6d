/** What git says of a checkout: the commit, and whether files differ from it. Changes nothing. */
import { spawnSync } from 'node:child_process';

function git(root, ...args) {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  if (error) return { reason: `git does not start (${error.message})` };
  if (status !== 0) return { reason: stderr.trim().split('\n')[0] || `git ended with exit status ${status}` };
  return { text: stdout.trim() };
}

/**
 * `{ commit, changes }`, where `changes` lists files that differ from the commit, or `{ reason }` where there is no
 * commit. The record itself is not counted as a change: the record is written after the commit that it speaks of.
 */
export function readCheckout(root) {
  const head = git(root, 'rev-parse', '--verify', 'HEAD');
  if (head.reason) return head;
  const status = git(root, 'status', '--porcelain', '--', ':/', ':(top,exclude)docs/verified.md');
  if (status.reason) return status;
  return { commit: head.text, changes: status.text === '' ? [] : status.text.split('\n') };
}

/** Whether results of `before` may still be called results of one commit. */
export function isSameCommit(root, before) {
  const now = readCheckout(root);
  return now.commit === before.commit && now.changes.length === 0 && before.changes.length === 0;
}
