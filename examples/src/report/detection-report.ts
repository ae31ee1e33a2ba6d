/**
 * The report of the detection demo: one HTML file that needs nothing else, neither network nor script.
 * Refuses to measure; it prints what `DetectionResults` holds. While the model trains, the file is written
 * again after each epoch, and the page loads itself anew.
 */

import type { DetectionResults, JudgedDetector } from '../detection/results.js';
import { accuracyCurve, lossCurve } from './charts.js';
import { bytes, count, type Html, html, percent, table } from './html.js';
import {
  costSection,
  renderPage,
  runFooter,
  shapeSection,
  statusNotes,
  tilesOf,
  titledCard,
} from './training-parts.js';

const numeric = true;

export function renderDetectionReport(results: DetectionResults): string {
  const { data, config, running, history } = results;
  const things = 'Things of the unseen style and their names';
  return renderPage({
    eyebrow: 'infcl detection demo report',
    title: `Open-vocabulary detection: ${count(data.concepts)} concepts`,
    lead: html`Regions of scenes meet the names of all concepts: ${count(config.batch)} regions a step, trained from scratch. The test scenes
have drawings of ${unseenOf(results)}, a style that training never saw. ${count(data.novel)} of the concepts were in no training scene.`,
    running,
    sections: [
      notes(results),
      tiles(results),
      precisionSection(results),
      curvesSection(results),
      shapeSection(results.shapes, things, 'the things'),
      costSection(history, `${count(config.batch)} regions`),
      dataSection(results),
      runFooter(
        results,
        `${config.epochs} epochs, then ${config.hardEpochs} with hard negatives, ${config.steps} steps`,
      ),
    ],
  });
}

function unseenOf({ data }: DetectionResults): string {
  return data.styles.find(({ unseen }) => unseen)?.title ?? 'another set';
}

function notes({ config, running, history }: DetectionResults): Html {
  const quick =
    config.mode === 'quick'
      ? 'few scenes and few steps, to see that all works. Its precision means nothing more.'
      : undefined;
  return statusNotes({ running, history, step: String(history.steps.length), quick });
}

function tiles(results: DetectionResults): Html {
  const { judged, page } = results;
  const scores = judged.find(({ kind }) => kind === 'trained')?.scores;
  const figures = scores
    ? [
        { value: percent(scores.map), text: 'mAP50 in the unseen style' },
        { value: percent(scores.novel), text: 'mAP50 of novel concepts' },
      ]
    : [];
  return html`${tilesOf(figures, results)}
${page ? html`<p><a href="detection.html">See ${count(page.scenes)} scenes</a> with boxes, and search them by words, in one file of ${bytes(page.bytes)}.</p>` : ''}`;
}

function precisionSection({ judged }: DetectionResults): Html {
  if (judged.length === 0) return html``;
  const told = judged[0]!.scores.score;
  const rows = judged.map((line) => ({
    cells: [line.name, ...cells(line)],
    strong: line.kind === 'trained',
  }));
  return html`<h2>Which things are where?</h2>
<p>A box is right if it shares half with a thing (intersection over union) and names it. All ${count(judged[0]!.scores.scenes)} test scenes
have new textures and places. mAP50 is the mean over concepts. "Pooled" ranks the boxes of all concepts together, so that a false box
of any concept counts. "Without names" asks for the boxes only.</p>
<div class="card">${table(
    [
      { title: 'detector' },
      ...[
        'mAP50',
        'base',
        'novel',
        'pooled AP50',
        'AP50 without names',
        `precision from score ${told}`,
        'recall',
      ].map((title) => ({ title, numeric })),
    ],
    rows,
  )}</div>
<p class="note">A concept occurs in few scenes, so its own average precision is noisy; the mean over all is less so. The neighbour gets the
boxes of the trained model, and chooses the names only.</p>`;
}

function cells({ scores }: JudgedDetector): string[] {
  const { map, base, novel, pooled, agnostic, precision, recall } = scores;
  return [map, base, novel, pooled, agnostic, precision, recall].map((value) => percent(value));
}

function curvesSection({ history, config }: DetectionResults): Html {
  if (history.steps.length === 0) return html``;
  const steps = Math.max(config.steps, history.steps.length);
  const name = 'best windows with the right name';
  const curve = accuracyCurve({ history, steps, name, label: `${name} by training step`, lines: [] });
  return html`<h2>How it learns</h2>
<div class="pair">${titledCard('Names of things in the unseen style', curve)}${titledCard('Loss and temperature', lossCurve({ history, config: { steps } }))}</div>
<p class="note">Hard negatives join after step ${count(config.firstSteps)}, and the rate begins anew. The curve looks at other scenes than the test,
and gives each thing its best window. Nothing is chosen by it: the last step is the result.</p>`;
}

function dataSection({ data }: DetectionResults): Html {
  const rows = data.styles.map(({ title, author, version, licence, drawings, unseen }) => ({
    cells: [`${title}${unseen ? ' (test only)' : ''}`, author, version, licence, count(drawings)],
  }));
  return html`<h2>The drawings</h2>
<p>${count(data.regions)} regions of ${count(data.trainScenes)} scenes and of captioned pictures train first, ${count(data.hardRegions)} hard negatives
join them. Names are those of emojibase-data (MIT).</p>
<div class="card">${table(
    [
      { title: 'set' },
      { title: 'author' },
      { title: 'version' },
      { title: 'licence' },
      { title: 'drawings', numeric },
    ],
    rows,
  )}</div>`;
}
