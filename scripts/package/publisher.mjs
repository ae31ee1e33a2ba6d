/**
 * Who publishes the package: reads publisher.json, the one file that a maintainer fills. An empty value is left out of
 * the package, since an invented address would lead users to strangers.
 */
import { readFileSync } from 'node:fs';

/** What each value is, for the message about an empty one. */
const meanings = {
  author: 'the name for "author" in package.json',
  repository: 'the git address for "repository" in package.json',
  homepage: 'the address of the home page',
  bugs: 'the address at which users report defects',
  pages: 'the address below which all files of the repository can be read, for links of README.md and docs/',
};

/**
 * The values that are not empty, and a line for each one that is. Throws on a value that is unknown, missing or no
 * address.
 */
export function readPublisher(file) {
  const values = JSON.parse(readFileSync(file, 'utf8'));
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(meanings, name));
  if (unknown.length > 0) throw new Error(`${file}: ${unknown.join(', ')} is not a value of this file`);
  for (const name of Object.keys(meanings)) {
    const value = values[name];
    if (typeof value !== 'string')
      throw new Error(`${file}: ${name} is missing; expected a string, "" where unknown`);
    if (value !== '' && name !== 'author' && !/^(git\+)?https:\/\/\S+[^/\s]$/.test(value)) {
      throw new Error(
        `${file}: ${name} is "${value}"; expected an address that begins with https:// and ends without /`,
      );
    }
  }
  const publisher = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const empty = Object.keys(meanings)
    .filter((name) => values[name] === '')
    .map((name) => `${name} is empty: ${meanings[name]}`);
  return { publisher, empty };
}
