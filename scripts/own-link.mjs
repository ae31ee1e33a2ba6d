/**
 * Tells the two times at which `npm install` in a clone runs `prepare`. The workspaces depend on the package by
 * `file:..`, so npm prepares the link first, without showing anything, and then the clone itself. The first run would
 * build for minutes in silence, and the second would find nothing to do.
 */

/**
 * Whether this process prepares the link, and the run for the clone follows. A project that links the clone from
 * elsewhere has another prefix: there no second run follows.
 */
export function isOwnLink(env, root) {
  const isDependency = env.npm_package_resolved !== undefined;
  const willPrepareClone =
    ['install', 'ci'].includes(env.npm_command) && env.npm_config_local_prefix === root;
  return isDependency && willPrepareClone;
}
