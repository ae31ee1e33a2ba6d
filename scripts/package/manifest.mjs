/**
 * package.json of the published package, made from the one of the repository. It has no scripts, since npm warns of
 * packages with scripts and some users forbid them; nothing for development; and a list of what is shipped is not
 * needed, since everything in the staging folder is.
 */

/** In the order in which they are written. A field of the repository's package.json is either here or below. */
const kept = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'type',
  'main',
  'types',
  'bin',
  'exports',
  'engines',
  'gypfile',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
];
// `private` keeps `npm publish` from publishing the repository in place of the staging folder.
const left = ['private', 'scripts', 'workspaces', 'devDependencies', 'files', 'binary'];

/** Throws on a field that neither list knows, so that a new field is not lost without a word. */
export function makeManifest(own, { author, repository, homepage, bugs }) {
  const unknown = Object.keys(own).filter((name) => !kept.includes(name) && !left.includes(name));
  if (unknown.length > 0) {
    throw new Error(
      `package.json has ${unknown.join(', ')}: say in scripts/package/manifest.mjs whether to publish it`,
    );
  }
  const addresses = {
    ...(author && { author }),
    ...(repository && { repository: { type: 'git', url: repository } }),
    ...(homepage && { homepage }),
    ...(bugs && { bugs: { url: bugs } }),
  };
  const fields = kept.filter((name) => name in own).map((name) => [name, own[name]]);
  return { ...Object.fromEntries(fields), ...addresses };
}
