/**
 * The report of the detection demo: one HTML file that needs nothing else, neither network nor script.
 * Refuses to measure; it prints what `DetectionResults` holds. While the model trains, the file is written
 * again after each epoch, and the page loads itself anew.
 */

import type { DetectionResults, JudgedDetector } from '../detection/results.js';
import { accuracyCurve, lossCurve, phaseChart, phaseSeconds } from './charts.js';
import { bytes, count, duration, type Html, html, percent, table, trustedHtml } from './html.js';
import { style } from './palette.js';

const numeric = true;

export function renderDetectionReport(results: DetectionResults): string {
  const { data, config, running } = results;
  const title = `Open-vocabulary detection: ${count(data.concepts)} concepts`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${running ? html`<meta http-equiv="refresh" content="10">` : ''}
<title>${title}</title>
<style>${trustedHtml(style)}</style>
</head>
<body>
<main>
<p class="eyebrow">infcl detection demo report</p>
<h1>${title}</h1>
<p class="lead">Regions of scenes meet the names of all concepts: ${count(config.batch)} regions a step, trained from scratch. The test scenes
have drawings of ${unseenOf(results)}, a style that training never saw. ${count(data.novel)} of the concepts were in no training scene.</p>
${notes(results)}
${tiles(results)}
${precisionSection(results)}
${curvesSection(results)}
${shapeSection(results)}
${costSection(results)}
${dataSection(results)}
${footer(results)}
</main>
</body>
</html>
`.text;
}

function unseenOf({ data }: DetectionResults): string {
  return data.styles.find(({ unseen }) => unseen)?.title ?? 'another set';
}

function notes({ config, running, history }: DetectionResults): Html {
  const { diverged } = history;
  return html`${running ? html`<p class="note">Training: step ${history.steps.length}. This page loads itself again every ten seconds.</p>` : ''}
${config.mode === 'quick' ? html`<p class="note">A quick run: few scenes and few steps, to see that all works. Its precision means nothing more.</p>` : ''}
${diverged ? html`<p class="warning">Training diverged at step ${diverged.step}: ${diverged.what}. What needs a trained model was left out.</p>` : ''}`;
}

function tiles({ judged, history, peakBytes, page }: DetectionResults): Html {
  const scores = judged.find(({ kind }) => kind === 'trained')?.scores;
  const training = history.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const tile = (value: string, text: string) =>
    html`<div class="tile"><b>${value}</b><span>${text}</span></div>`;
  const precision = scores
    ? html`${tile(percent(scores.map), 'mAP50 in the unseen style')}${tile(percent(scores.novel), 'mAP50 of novel concepts')}`
    : '';
  return html`<div class="tiles">
${precision}
${tile(duration(training), 'of training steps')}
${tile(bytes(peakBytes), 'peak memory of the whole run')}
</div>
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
  const card = (title: string, chart: Html) => html`<div class="card"><h3>${title}</h3>${chart}</div>`;
  return html`<h2>How it learns</h2>
<div class="pair">${card('Names of things in the unseen style', curve)}${card('Loss and temperature', lossCurve({ history, config: { steps } }))}</div>
<p class="note">Hard negatives join after step ${count(config.firstSteps)}, and the rate begins anew. The curve looks at other scenes than the test,
and gives each thing its best window. Nothing is chosen by it: the last step is the result.</p>`;
}

function shapeSection({ shapes }: DetectionResults): Html {
  if (shapes.length === 0) return html``;
  const rows = shapes.map(({ name, shape: { alignment, uniformity, effectiveRank, gap } }) => ({
    cells: [name, alignment.toFixed(2), uniformity.toFixed(2), effectiveRank.toFixed(1), gap.toFixed(2)],
  }));
  return html`<h2>What the features look like</h2>
<p>Things of the unseen style and their names as points on a sphere. Training brings the two points of a pair together (alignment falls) and
spreads the things (uniformity falls, effective rank rises).</p>
<div class="card">${table(
    [
      { title: 'model' },
      { title: 'alignment', numeric },
      { title: 'uniformity', numeric },
      { title: 'effective rank', numeric },
      { title: 'gap between the sides', numeric },
    ],
    rows,
  )}</div>`;
}

function costSection({ history, config }: DetectionResults): Html {
  if (history.steps.length === 0) return html``;
  const phases = phaseSeconds(history.steps);
  const total = phases.encode + phases.loss + phases.backward + phases.other;
  const last = history.steps.at(-1)!.cost;
  const row = (name: string, { seconds, bytes: taken }: { seconds: number; bytes: number }) => ({
    cells: [name, duration(seconds), bytes(taken)],
  });
  return html`<h2>Where a step's time goes</h2>
<p>Median of ${history.steps.length} steps of ${count(config.batch)} regions: ${duration(total)}. The towers see the batch twice, once to get
features and once more to push gradients through. The first pass, ${percent(phases.encode / total, 0)} of the step, is what decoupling towers
from loss costs.</p>
<div class="card">${phaseChart(phases)}</div>
<div class="card">${table(
    [{ title: 'phase of the last step' }, { title: 'time', numeric }, { title: 'memory', numeric }],
    [row('encode', last.encode), row('loss', last.loss), row('backward', last.backward)],
  )}</div>`;
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

function footer({ config, machine, seconds, peakBytes }: DetectionResults): Html {
  const { cpu, cores, memoryBytes, platform, node, infcl, jax, isa, threads } = machine;
  const phases = seconds.map(({ phase, seconds: taken }) => `${phase} ${duration(taken)}`).join(' · ');
  const total = seconds.reduce((sum, { seconds: taken }) => sum + taken, 0);
  return html`<footer>
<p>Configuration: ${config.mode} run · batch ${count(config.batch)} · ${config.epochs} epochs, then ${config.hardEpochs} with hard negatives,
${config.steps} steps · seed ${config.seed} · Adam, peak rate ${config.learningRate} (text tower ten times), ${percent(config.warmUp, 0)} warm-up, cosine to 0,
β 0.9 and 0.98 · input dropout ${config.dropout} · logit scale learnt from 20, at most 100.</p>
<p>Machine: ${cpu}, ${cores} cores, ${bytes(memoryBytes)} memory, ${platform} · Node ${node} · infcl ${infcl} (${isa}, ${threads} threads) ·
jax-js ${jax} (WebAssembly, one thread).</p>
<p>Run: ${duration(total)} in all (${phases}); peak memory ${bytes(peakBytes)}. All numbers are in report.json.</p>
</footer>`;
}
