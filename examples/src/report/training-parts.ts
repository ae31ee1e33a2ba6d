/**
 * What the reports of the icon demo and of the detection demo have in common: the page around the sections, the
 * features' shape, the cost of a step, the machine and the run. Refuses to know what a demo is about.
 */

import type { Results } from '../results.js';
import type { History } from '../train/loop.js';
import { phaseChart, phaseSeconds } from './charts.js';
import {
  bytes,
  count,
  duration,
  type Fragment,
  type Html,
  html,
  percent,
  table,
  trustedHtml,
} from './html.js';
import { style } from './palette.js';

const numeric = true;

export interface ReportPage {
  eyebrow: string;
  title: string;
  lead: Html;
  /** While the model trains, the page loads itself anew. */
  running: boolean;
  sections: readonly Html[];
}

export function renderPage({ eyebrow, title, lead, running, sections }: ReportPage): string {
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
<p class="eyebrow">${eyebrow}</p>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${sections}
</main>
</body>
</html>
`.text;
}

/** @param step Such as "7 of 100". @param quick What a quick run leaves small. */
export function statusNotes({
  running,
  history: { diverged },
  step,
  quick,
}: {
  running: boolean;
  history: History;
  step: string;
  quick: string | undefined;
}): Html {
  return html`${running ? html`<p class="note">Training: step ${step}. This page loads itself again every ten seconds.</p>` : ''}
${quick === undefined ? '' : html`<p class="note">A quick run: ${quick}</p>`}
${diverged ? html`<p class="warning">Training diverged at step ${diverged.step}: ${diverged.what}. What needs a trained model was left out.</p>` : ''}`;
}

/** Large figures, then those of the training steps and of memory. */
export function tilesOf(
  figures: readonly { value: string; text: string }[],
  { history, peakBytes }: { history: History; peakBytes: number },
): Html {
  const training = history.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const all = [
    ...figures,
    { value: duration(training), text: 'of training steps' },
    { value: bytes(peakBytes), text: 'peak memory of the whole run' },
  ];
  return html`<div class="tiles">
${all.map(({ value, text }) => html`<div class="tile"><b>${value}</b><span>${text}</span></div>`)}
</div>`;
}

export const titledCard = (title: string, inner: Html) =>
  html`<div class="card"><h3>${title}</h3>${inner}</div>`;

export interface ShapeLine {
  name: string;
  shape: { alignment: number; uniformity: number; effectiveRank: number; gap: number };
}

/** @param points What the points are. @param spread What training spreads. */
export function shapeSection(lines: readonly ShapeLine[], points: string, spread: string): Html {
  if (lines.length === 0) return html``;
  const rows = lines.map(({ name, shape: { alignment, uniformity, effectiveRank, gap } }) => ({
    cells: [name, alignment.toFixed(2), uniformity.toFixed(2), effectiveRank.toFixed(1), gap.toFixed(2)],
  }));
  const titles = ['alignment', 'uniformity', 'effective rank', 'gap between the sides'];
  return html`<h2>What the features look like</h2>
<p>${points} as points on a sphere. Training brings the two points of a pair together (alignment falls) and
spreads ${spread} (uniformity falls, effective rank rises).</p>
<div class="card">${table([{ title: 'model' }, ...titles.map((title) => ({ title, numeric }))], rows)}</div>`;
}

/** @param batch Such as "1,024 icons". */
export function costSection({ steps }: History, batch: string): Html {
  if (steps.length === 0) return html``;
  const phases = phaseSeconds(steps);
  const total = phases.encode + phases.loss + phases.backward + phases.other;
  const last = steps.at(-1)!.cost;
  const rows = (['encode', 'loss', 'backward'] as const).map((name): { cells: Fragment[] } => ({
    cells: [name, duration(last[name].seconds), bytes(last[name].bytes)],
  }));
  return html`<h2>Where a step's time goes</h2>
<p>Median of ${steps.length} steps of ${batch}: ${duration(total)}. The towers see the batch twice, once to get
features and once more to push gradients through. The first pass, ${percent(phases.encode / total, 0)} of the step, is what decoupling towers
from loss costs.</p>
<div class="card">${phaseChart(phases)}</div>
<div class="card">${table(
    [{ title: 'phase of the last step' }, { title: 'time', numeric }, { title: 'memory', numeric }],
    rows,
  )}</div>`;
}

interface Run {
  config: {
    mode: string;
    batch: number;
    seed: number;
    learningRate: number;
    warmUp: number;
    dropout: number;
  };
  machine: Results['machine'];
  seconds: Results['seconds'];
  peakBytes: number;
}

/** @param length How long the training was. */
export function runFooter({ config, machine, seconds, peakBytes }: Run, length: string): Html {
  const { cpu, cores, memoryBytes, platform, node, infcl, jax, isa, threads } = machine;
  const phases = seconds.map(({ phase, seconds: taken }) => `${phase} ${duration(taken)}`).join(' · ');
  const total = seconds.reduce((sum, { seconds: taken }) => sum + taken, 0);
  return html`<footer>
<p>Configuration: ${config.mode} run · batch ${count(config.batch)} · ${length} · seed ${config.seed} · Adam, peak rate
${config.learningRate} (text tower ten times), ${percent(config.warmUp, 0)} warm-up, cosine to 0, β 0.9 and 0.98 · input dropout ${config.dropout} · logit scale
learnt from 20, at most 100.</p>
<p>Machine: ${cpu}, ${cores} cores, ${bytes(memoryBytes)} memory, ${platform} · Node ${node} · infcl ${infcl} (${isa}, ${threads} threads) ·
jax-js ${jax} (WebAssembly, one thread).</p>
<p>Run: ${duration(total)} in all (${phases}); peak memory ${bytes(peakBytes)}. All numbers are in report.json.</p>
</footer>`;
}
