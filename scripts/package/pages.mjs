/**
 * README.md and the pages of docs/ for the package. A page of the repository links to files that the package does not
 * ship. Such a link becomes absolute where the address of the repository's files is known, and plain text elsewhere.
 */
import { posix } from 'node:path';

const link = /(!?)\[((?:[^\]`]|`[^`]*`)*)\]\(([^)\s]+)\)/g;
const isLocal = (target) => !/^(\w+:|#)/.test(target);

/** The local targets of a page, as paths of the repository. */
export function targetsOf(page, text) {
  return [...text.matchAll(link)]
    .map(([, , , target]) => target)
    .filter(isLocal)
    .map((target) => pathOf(page, target));
}

const pathOf = (page, target) => posix.join(posix.dirname(page), target.split('#')[0]);

/** `isShipped` says of a path whether the package has it; `base` is the address of the repository's files, or undefined. */
export function rewriteLinks(page, text, isShipped, base) {
  return text.replaceAll(link, (whole, image, label, target) => {
    if (!isLocal(target) || isShipped(pathOf(page, target))) return whole;
    const [, anchor] = target.split('#');
    const path = pathOf(page, target);
    if (base) return `${image}[${label}](${base}/${path}${anchor ? `#${anchor}` : ''})`;
    return `${label} (\`${path}\` in the repository)`;
  });
}
