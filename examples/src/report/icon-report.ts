/**
 * The report of the icon demo: one HTML file that needs nothing else, neither network nor script. Refuses to
 * measure; it prints what `IconResults` holds. While the model trains, the file is written again after each epoch,
 * and the page loads itself anew.
 */

import type { ZeroShotScore } from '../icons/evaluate/judge-features.js';
import type { IconResults, Judged } from '../icons/results.js';
import { accuracyCurve, lossCurve } from './charts.js';
import { bytes, count, type Html, html, percent, table } from './html.js';
import { colour } from './palette.js';
import {
  costSection,
  renderPage,
  runFooter,
  shapeSection,
  statusNotes,
  tilesOf,
  titledCard,
} from './training-parts.js';

export function renderIconReport(results: IconResults): string {
  const { data, config, running, judged, history } = results;
  const shapes = judged.flatMap(({ name, shape }) => (shape === undefined ? [] : [{ name, shape }]));
  return renderPage({
    eyebrow: 'infcl icon demo report',
    title: `Icon CLIP: ${count(data.trainIcons)} icons and their names`,
    lead: html`An image tower and a text tower, trained from scratch with the exact contrastive loss, ${count(config.batch)} icons a step, and
tested on ${data.unseen}: ${count(data.unseenIcons)} icons of a set that training never saw.`,
    running,
    sections: [
      notes(results),
      tiles(results),
      accuracySection(results),
      curvesSection(results),
      shapeSection(shapes, 'Icons of the unseen set and their captions', 'the icons'),
      costSection(history, `${count(config.batch)} icons`),
      dataSection(results),
      runFooter(results, `${config.epochs} epochs, ${config.steps} steps`),
    ],
  });
}

function notes({ config, running, history }: IconResults): Html {
  const quick =
    config.mode === 'quick'
      ? 'some of the sets and few steps, to see that all works. Its accuracy means nothing more.'
      : undefined;
  return statusNotes({ running, history, step: `${history.steps.length} of ${config.steps}`, quick });
}

function tiles(results: IconResults): Html {
  const { judged, page } = results;
  const trained = judged.find(({ kind }) => kind === 'trained');
  const figures = trained?.scores.zeroShot.map(({ classes, top1 }) => ({
    value: percent(top1),
    text: `top-1 among ${count(classes)} captions`,
  }));
  return html`${tilesOf(figures ?? [], results)}
${page ? html`<p><a href="icons.html">Search ${count(page.icons)} icons</a> with the trained text encoder, in one file of ${bytes(page.bytes)}.</p>` : ''}`;
}

function accuracySection({ judged, data }: IconResults): Html {
  const levels = judged[0]?.scores.zeroShot ?? [];
  const numeric = true;
  const strong = ({ kind }: Judged) => kind === 'trained';
  const zeroShot = judged.map((line) => ({
    cells: [
      line.name,
      ...line.scores.zeroShot.map(({ top1, top5 }) => `${percent(top1)} / ${percent(top5)}`),
    ],
    strong: strong(line),
  }));
  const search = judged
    .filter(({ scores }) => scores.seen !== undefined || scores.fresh !== undefined)
    .map((line) => ({ cells: [line.name, ...searchCells(line)], strong: strong(line) }));
  const heading = ({ classes, icons }: ZeroShotScore) => `${count(classes)} captions (${count(icons)} icons)`;
  return html`<h2>What does this icon show?</h2>
<p>Top-1 and top-5 accuracy on ${data.unseen}, among ${data.seenCaptions > 0 ? 'the commonest captions that training icons have as well' : 'its captions, none of which training knows'}.</p>
<div class="card">${table([{ title: 'model' }, ...levels.map((level) => ({ title: heading(level), numeric }))], zeroShot)}</div>
<p class="note">A standard error of the first column is about 2 points, because it has few icons.</p>
<h2>Which icon is this?</h2>
<p>Captions as queries: how often an icon of this caption is first, and among the first ten, of all ${count(data.unseenIcons)} icons of
${data.unseen}. ${count(data.seenCaptions)} of the captions occur in training, ${count(data.freshCaptions)} do not.</p>
<div class="card">${table(
    [
      { title: 'model' },
      { title: 'seen captions, first', numeric },
      { title: 'first ten', numeric },
      { title: 'new captions, first', numeric },
      { title: 'first ten', numeric },
    ],
    search,
  )}</div>
<p class="note">A neighbour has no text encoder, so it cannot be asked for a caption.</p>`;
}

function searchCells({ scores: { seen, fresh } }: Judged): string[] {
  return [seen, fresh].flatMap((part) =>
    part === undefined ? ['–', '–'] : [percent(part.at1), percent(part.at10)],
  );
}

function curvesSection({ history, config, judged, curveClasses }: IconResults): Html {
  if (history.steps.length === 0) return html``;
  const at = ({ scores }: Judged) =>
    scores.zeroShot.find(({ classes }) => classes === curveClasses)?.top1 ?? 0;
  const of = (...kinds: Judged['kind'][]) => judged.filter(({ kind }) => kinds.includes(kind)).map(at);
  const neighbour = Math.max(0, ...of('pixels', 'features'));
  const lines = [
    ...of('cca').map((value) => ({ name: 'linear CCA', value, tint: colour.other })),
    ...(neighbour > 0 ? [{ name: 'nearest neighbour', value: neighbour, tint: colour.third }] : []),
  ];
  const name = `top-1 among ${count(curveClasses)} captions`;
  const curve = accuracyCurve({
    history,
    steps: config.steps,
    name,
    label: `${name} by training step`,
    lines,
  });
  return html`<h2>How it learns</h2>
<div class="pair">${titledCard('Accuracy on the unseen set', curve)}${titledCard('Loss and temperature', lossCurve({ history, config }))}</div>
<p class="note">The curve looks at the unseen set after each epoch. Nothing is chosen by it: the last step is the result.</p>`;
}

function dataSection({ data }: IconResults): Html {
  const rows = data.sets.map(({ title, version, licence, icons }) => ({
    cells: [title, version, licence, count(icons)],
  }));
  return html`<h2>The icons</h2>
<p>${count(data.trainIcons)} icons with ${count(data.captions)} captions train. ${count(data.copies)} more were left out, because they look like an
icon of ${data.unseen}.</p>
<div class="card">${table(
    [{ title: 'set' }, { title: 'version' }, { title: 'licence' }, { title: 'icons', numeric: true }],
    rows,
  )}</div>`;
}
