/**
 * The report of the icon demo: one HTML file that needs nothing else, neither network nor script. Refuses to
 * measure; it prints what `IconResults` holds. While the model trains, the file is written again after each epoch,
 * and the page loads itself anew.
 */

import type { ZeroShotScore } from '../icons/evaluate/judge-features.js';
import type { IconResults, Judged } from '../icons/results.js';
import { accuracyCurve, lossCurve, phaseChart, phaseSeconds } from './charts.js';
import { bytes, count, duration, type Html, html, percent, table, trustedHtml } from './html.js';
import { colour, style } from './palette.js';

export function renderIconReport(results: IconResults): string {
  const { data, config, running } = results;
  const title = `Icon CLIP: ${count(data.trainIcons)} icons and their names`;
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
<p class="eyebrow">infcl icon demo report</p>
<h1>${title}</h1>
<p class="lead">An image tower and a text tower, trained from scratch with the exact contrastive loss, ${count(config.batch)} icons a step, and
tested on ${data.unseen}: ${count(data.unseenIcons)} icons of a set that training never saw.</p>
${notes(results)}
${tiles(results)}
${accuracySection(results)}
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

function notes({ config, running, history }: IconResults): Html {
  const { diverged } = history;
  return html`${running ? html`<p class="note">Training: step ${history.steps.length} of ${config.steps}. This page loads itself again every ten seconds.</p>` : ''}
${config.mode === 'quick' ? html`<p class="note">A quick run: some of the sets and few steps, to see that all works. Its accuracy means nothing more.</p>` : ''}
${diverged ? html`<p class="warning">Training diverged at step ${diverged.step}: ${diverged.what}. What needs a trained model was left out.</p>` : ''}`;
}

function tiles({ judged, history, peakBytes, page }: IconResults): Html {
  const trained = judged.find(({ kind }) => kind === 'trained');
  const training = history.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const tile = (value: string, text: string) =>
    html`<div class="tile"><b>${value}</b><span>${text}</span></div>`;
  const accuracy = trained?.scores.zeroShot.map(({ classes, top1 }) =>
    tile(percent(top1), `top-1 among ${count(classes)} captions`),
  );
  return html`<div class="tiles">
${accuracy ?? ''}
${tile(duration(training), 'of training steps')}
${tile(bytes(peakBytes), 'peak memory of the whole run')}
</div>
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
  const card = (title: string, chart: Html) => html`<div class="card"><h3>${title}</h3>${chart}</div>`;
  return html`<h2>How it learns</h2>
<div class="pair">${card('Accuracy on the unseen set', curve)}${card('Loss and temperature', lossCurve({ history, config }))}</div>
<p class="note">The curve looks at the unseen set after each epoch. Nothing is chosen by it: the last step is the result.</p>`;
}

function shapeSection({ judged }: IconResults): Html {
  const numeric = true;
  const rows = judged.flatMap(({ name, shape }) => {
    if (shape === undefined) return [];
    const { alignment, uniformity, effectiveRank, gap } = shape;
    return [
      {
        cells: [name, alignment.toFixed(2), uniformity.toFixed(2), effectiveRank.toFixed(1), gap.toFixed(2)],
      },
    ];
  });
  if (rows.length === 0) return html``;
  return html`<h2>What the features look like</h2>
<p>Icons of the unseen set and their captions as points on a sphere. Training brings the two points of a pair together (alignment falls)
and spreads the icons (uniformity falls, effective rank rises).</p>
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

function costSection({ history, config }: IconResults): Html {
  if (history.steps.length === 0) return html``;
  const phases = phaseSeconds(history.steps);
  const total = phases.encode + phases.loss + phases.backward + phases.other;
  const last = history.steps.at(-1)!.cost;
  const row = (name: string, { seconds, bytes: taken }: { seconds: number; bytes: number }) => ({
    cells: [name, duration(seconds), bytes(taken)],
  });
  const numeric = true;
  return html`<h2>Where a step's time goes</h2>
<p>Median of ${history.steps.length} steps of ${count(config.batch)} icons: ${duration(total)}. The towers see the batch twice, once to get features
and once more to push gradients through. The first pass, ${percent(phases.encode / total, 0)} of the step, is what decoupling towers from loss costs.</p>
<div class="card">${phaseChart(phases)}</div>
<div class="card">${table(
    [{ title: 'phase of the last step' }, { title: 'time', numeric }, { title: 'memory', numeric }],
    [row('encode', last.encode), row('loss', last.loss), row('backward', last.backward)],
  )}</div>`;
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

function footer({ config, machine, seconds, peakBytes }: IconResults): Html {
  const { cpu, cores, memoryBytes, platform, node, infcl, jax, isa, threads } = machine;
  const phases = seconds.map(({ phase, seconds: taken }) => `${phase} ${duration(taken)}`).join(' · ');
  const total = seconds.reduce((sum, { seconds: taken }) => sum + taken, 0);
  return html`<footer>
<p>Configuration: ${config.mode} run · batch ${count(config.batch)} · ${config.epochs} epochs, ${config.steps} steps · seed ${config.seed} · Adam, peak rate
${config.learningRate} (text tower ten times), ${percent(config.warmUp, 0)} warm-up, cosine to 0, β 0.9 and 0.98 · input dropout ${config.dropout} · logit scale
learnt from 20, at most 100.</p>
<p>Machine: ${cpu}, ${cores} cores, ${bytes(memoryBytes)} memory, ${platform} · Node ${node} · infcl ${infcl} (${isa}, ${threads} threads) ·
jax-js ${jax} (WebAssembly, one thread).</p>
<p>Run: ${duration(total)} in all (${phases}); peak memory ${bytes(peakBytes)}. All numbers are in report.json.</p>
</footer>`;
}
