/**
 * The page as one HTML file: markup, style, script and data, under a policy that lets this script run and
 * nothing be fetched. Refuses to hold behaviour; that is in `client/`.
 */

import { policyOf } from '../../icons/page/policy.js';
import { type Html, html, trustedHtml } from '../../report/html.js';
import { style } from '../../report/palette.js';
import type { StyleNotice } from '../results.js';
import { pageStyle } from './page-style.js';

export interface PageParts {
  script: string;
  /** Base64. */
  data: string;
  notices: readonly StyleNotice[];
  /** Where the slider is at first, from 0.05 to 0.99. */
  startScore: number;
}

const examples = ['dog', 'fruit', 'ship', 'music', 'something red', 'flower', 'book', 'bird'];

export function renderPage({ script, data, notices, startScore }: PageParts): string {
  if (!/^[A-Za-z0-9+/=]*$/.test(data)) throw new RangeError('Expected data in base64');
  const css = style + pageStyle;
  const policy = policyOf(script, css);
  const unseen = notices.filter((notice) => notice.unseen).map(({ title }) => title);
  const kind = (name: string, text: string) => html`<li><span class="box ${name}"></span>${text}</li>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Open-vocabulary detection</title>
<style>${trustedHtml(css)}</style>
</head>
<body>
<main>
<p class="eyebrow">infcl</p>
<h1>Open-vocabulary detection</h1>
<p class="lead">A detector, trained from scratch on scenes of emoji and their names. These are the first test scenes. Their drawings are
those of ${unseen.join(', ')}, a style that training never saw. Things marked as novel were in no training scene.</p>
<search class="controls">
<label class="visually-hidden" for="query">Words that highlight the boxes they fit</label>
<input id="query" type="search" placeholder="Words, for example: red fruit" list="names" autocomplete="off" autocapitalize="none"
spellcheck="false" maxlength="2000">
<datalist id="names"></datalist>
<label>Least score <input id="score" type="range" min="5" max="99"
value="${Math.round(100 * startScore)}"> <output id="shown-score" for="score">${startScore.toFixed(2)}</output></label>
<label><input id="missed" type="checkbox"> Things without a box</label>
</search>
<noscript><p class="warning">The boxes are drawn in this page, so it needs JavaScript.</p></noscript>
<p id="examples">${examples.map((word) => html`<button type="button">${word}</button> `)}</p>
<ul class="key" aria-label="Kinds of boxes">${[
    kind('right', '✓ right name'),
    kind('misnamed', '≠ a thing, another name'),
    kind('wrong', '✗ no thing, or found twice'),
    kind('asked', 'fits your words'),
  ]}</ul>
<p id="status" role="status"></p>
<div id="scenes"></div>
<details><summary>Where the drawings come from</summary>
<p>Packages of Iconify. Names are those of emojibase-data (MIT).</p>
<ul>${notices.map(noticeOf)}</ul>
</details>
</main>
<script id="data" type="text/plain">${trustedHtml(data)}</script>
<script type="module">${trustedHtml(script)}</script>
</body>
</html>
`.text;
}

function noticeOf({ title, author, licence, version, unseen }: StyleNotice): Html {
  return html`<li>${title} ${version} by ${author}, ${licence}${unseen ? ': shown here, never trained on' : ''}</li>`;
}
