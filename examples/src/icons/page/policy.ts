/** The policy of a page that runs one script and fetches nothing. */

import { createHash } from 'node:crypto';

/** The value of `Content-Security-Policy` for a page with this script, this style, and pictures as data. */
export function policyOf(script: string, css: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(css)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** The policy's name for a text: browsers compare the name with what stands in the page. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
