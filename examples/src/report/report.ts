/**
 * The report: one HTML file that needs nothing else, neither network nor script. Refuses to measure; it prints what
 * `Results` holds.
 */

import type { Results } from '../results.js';
import { bytes, count, duration, type Html, html, percent, trustedHtml } from './html.js';
import { style } from './palette.js';
import {
  accuracySection,
  divergenceWarning,
  examplesSection,
  lossCostSection,
  phasesSection,
  sweepSection,
} from './sections.js';

export function renderReport(results: Results): string {
  const { data, config } = results;
  const title = `${data.name}: ${data.leftName} to ${data.rightName}`;
  const quick =
    config.mode === 'quick'
      ? html`<p class="note">A quick run: a small part of the data and few steps, to see that all works. Its accuracy means nothing more.</p>`
      : '';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trustedHtml(style)}</style>
</head>
<body>
<main>
<p class="eyebrow">infcl demo report</p>
<h1>${title}</h1>
<p class="lead">A dual encoder trained from scratch with the exact contrastive loss over ${count(config.batch)} pairs at once:
${config.steps} steps, ${count(data.train)} training pairs, no pretrained weights, no table of readings.</p>
${quick}
${divergenceWarning(results)}
${tiles(results)}
${accuracySection(results)}
${examplesSection(results)}
${lossCostSection(results)}
${phasesSection(results)}
${sweepSection(results)}
${footer(results)}
</main>
</body>
</html>
`.text;
}

function tiles({ model, history, data, peakBytes }: Results): Html {
  const training = history.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const tile = (value: string, text: string) =>
    html`<div class="tile"><b>${value}</b><span>${text}</span></div>`;
  return html`<div class="tiles">
${tile(percent(model.recallAt1), `recall@1 among ${count(data.candidates)} candidates`)}
${tile(percent(model.recallAt10), 'recall@10')}
${tile(duration(training), 'of training steps')}
${tile(bytes(peakBytes), 'peak memory of the whole run')}
</div>`;
}

function footer({ data, config, machine, seconds, peakBytes }: Results): Html {
  const { cpu, cores, memoryBytes, platform, node, infcl, jax, isa, threads } = machine;
  const phases = seconds.map(({ phase, seconds: taken }) => `${phase} ${duration(taken)}`).join(' · ');
  const total = seconds.reduce((sum, { seconds: taken }) => sum + taken, 0);
  return html`<footer>
<p>Data: ${data.licence}. ${count(data.train)} training, ${count(data.validation)} validation, ${count(data.test)} test pairs,
${count(data.candidates)} candidates.</p>
<p>Configuration: ${config.mode} run · batch ${count(config.batch)} · ${config.steps} steps (${config.epochs.toFixed(1)} epochs) · seed ${config.seed} ·
AdamW, peak rate ${config.learningRate}, ${percent(config.warmUp, 0)} warm-up, cosine to 0, β 0.9 and 0.98, no weight decay · feature dropout
${config.dropout} · logit scale learnt from 20, at most 100.</p>
<p>Machine: ${cpu}, ${cores} cores, ${bytes(memoryBytes)} memory, ${platform} · Node ${node} · infcl ${infcl} (${isa}, ${threads} threads) ·
jax-js ${jax} (WebAssembly, one thread).</p>
<p>Run: ${duration(total)} in all (${phases}); peak memory of the main process ${bytes(peakBytes)}. All numbers are in report.json.</p>
</footer>`;
}
