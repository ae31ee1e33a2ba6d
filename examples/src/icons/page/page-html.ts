/**
 * The page as one HTML file: markup, style, script and data, under a policy that lets this script run and nothing
 * be fetched. Refuses to hold behaviour; that is in `client/`.
 */

import { type Html, html, trustedHtml } from '../../report/html.js';
import { style } from '../../report/palette.js';
import { pageStyle } from './page-style.js';
import { policyOf } from './policy.js';

export interface SetNotice {
  title: string;
  author: string;
  licence: string;
  version: string;
  unseen: boolean;
}

export interface PageParts {
  script: string;
  /** Base64. */
  data: string;
  notices: readonly SetNotice[];
}

const examples = ['rain', 'broken heart', 'bicycle', 'music player', 'no wifi', 'snowman', 'growing chart'];

export function renderPage({ script, data, notices }: PageParts): string {
  if (!/^[A-Za-z0-9+/=]*$/.test(data)) throw new RangeError('Expected data in base64');
  const css = style + pageStyle;
  const policy = policyOf(script, css);
  const unseen = notices.filter((notice) => notice.unseen).map(({ title }) => title);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Icon CLIP</title>
<style>${trustedHtml(css)}</style>
</head>
<body>
<main>
<p class="eyebrow">infcl</p>
<h1>Icon CLIP</h1>
<p class="lead">Two towers, trained from scratch on icons and their names. Type a word to see the nearest icons; choose an icon to see the
nearest words. All of it runs in this page, which fetches nothing.</p>
<search class="search">
<label class="visually-hidden" for="query">Words to search icons by</label>
<input id="query" type="search" placeholder="rain" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="2000" autofocus>
<label><input id="unseen" type="checkbox" role="switch"> Only ${unseen.join(', ')}, never seen in training</label>
</search>
<noscript><p class="warning">The search runs in this page, so it needs JavaScript.</p></noscript>
<p id="status" role="status"></p>
<p id="examples">${examples.map((word) => html`<button type="button">${word}</button>`)}</p>
<div class="columns">
<ul id="results" aria-label="Nearest icons"></ul>
<section id="detail" aria-label="The chosen icon" aria-live="polite" hidden>
<button id="close" type="button" aria-label="Close">×</button>
<div id="picture"></div>
<h2 id="name"></h2>
<p id="source" class="note"></p>
<h3>Nearest words</h3>
<ul id="words"></ul>
</section>
</div>
<details><summary>Where the icons come from</summary>
<p>Packages of Iconify, rendered at 32 × 32 pixels for training, and shown as the sets drew them:</p>
<ul>${notices.map(noticeOf)}</ul>
<p>Keys: / goes to the search field, arrows move among icons, Escape closes an icon.</p>
</details>
</main>
<script id="data" type="text/plain">${trustedHtml(data)}</script>
<script type="module">${trustedHtml(script)}</script>
</body>
</html>
`.text;
}

function noticeOf({ title, author, licence, version, unseen }: SetNotice): Html {
  return html`<li>${title} ${version} by ${author}, ${licence}${unseen ? ', never trained on' : ''}</li>`;
}
