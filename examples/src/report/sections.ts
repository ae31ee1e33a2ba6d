/**
 * The report's sections: a heading, the picture, and what it shows and does not show. Every number comes from the
 * results. Refuses claims the run did not measure.
 */

import type { Metrics } from '../evaluate/retrieval.js';
import type { LossCost } from '../measure/loss-cost.js';
import type { Sweep, SweepRun } from '../measure/sweep.js';
import type { Example, Results } from '../results.js';
import { chunkRows } from '../train/side.js';
import {
  learningCurve,
  lossCostCharts,
  lossCurve,
  type PhaseSeconds,
  phaseChart,
  phaseSeconds,
  sweepCharts,
} from './charts.js';
import { bytes, count, duration, type Html, html, join, percent, table } from './html.js';

const card = (inner: Html) => html`<div class="card">${inner}</div>`;
/** Why a part is missing. */
const leftOutOf = ({ history }: Results) => (history.diverged ? 'runs that diverge' : 'quick runs');
const titled = (title: string, inner: Html) => card(html`<h3>${title}</h3>${inner}`);

export function accuracySection(results: Results): Html {
  const { untrained, model, cca, ceiling, data, config } = results;
  const row = (name: string, { recallAt1, recallAt10, meanReciprocalRank }: Metrics, strong = false) => ({
    cells: [name, percent(recallAt1), percent(recallAt10), percent(meanReciprocalRank)],
    strong,
  });
  const rows = [
    row('Untrained, same weights at step 0', untrained),
    ...(cca ? [row(`Linear CCA, ${cca.directions} directions, closed form`, cca.metrics)] : []),
    row(`Trained dual encoder, 128 numbers a side, batch ${count(config.batch)}`, model, true),
    row('Ceiling: equal left sides cannot be told apart', ceiling),
  ];
  const numeric = true;
  return html`<h2>Held-out words against all candidates</h2>
<p>${count(model.queries)} test pairs the training never saw; each ${data.leftName} is ranked against all
${count(model.candidates)} candidates by the dot product of the features. Chance is one in ${count(model.candidates)}.</p>
${card(
  table(
    [
      { title: 'model' },
      { title: 'recall@1', numeric },
      { title: 'recall@10', numeric },
      { title: 'mean reciprocal rank', numeric },
    ],
    rows,
  ),
)}
${ccaText(results)}
<div class="pair">${titled('Learning curve', learningCurve(results))}${titled('Loss and temperature', lossCurve(results))}</div>
<p class="note">The curve is measured on 1,024 validation queries (or all there are), the lines across it on the test, so they
compare to within about two points. The loss is that of a batch of ${count(config.batch)}, of which log ${count(config.batch)} =
${Math.log(config.batch).toFixed(2)} is what guessing costs.</p>`;
}

function ccaText(results: Results): Html {
  const { cca, model } = results;
  if (cca === undefined)
    return html`<p class="note">The linear CCA baseline is left out of ${leftOutOf(results)}.</p>`;
  const difference = 100 * (model.recallAt1 - cca.metrics.recallAt1);
  const verdict =
    Math.abs(difference) < 1.5
      ? 'about as good at recall@1'
      : `${Math.abs(difference).toFixed(1)} points ${difference > 0 ? 'lower' : 'higher'} at recall@1`;
  const tried = cca.tried.map(({ ridge, recallAt1 }) => `${ridge}: ${percent(recallAt1)}`).join(', ');
  return html`<p class="note">Both models are linear in the same hashed features, so canonical correlation analysis is the fair
opponent: it needs no training loop, took ${duration(cca.seconds)} here, and is ${verdict} with
${cca.directions / 128} times as many numbers a word. Its ridge (${cca.ridge} of the mean variance) was chosen on
validation queries (${tried}).</p>`;
}

export function examplesSection({ examples, data }: Results): Html {
  const word = ({ text, hit, homophone }: Example['nearest'][number]) => {
    const kind = hit ? ' hit' : homophone ? ' same' : '';
    return html`<span class="word${kind}">${text}</span>`;
  };
  const rows = examples.map(({ query, answer, rank, nearest }) => ({
    cells: [query, answer, count(rank), html`<span lang="zh">${join(nearest.map(word), ' ')}</span>`],
  }));
  return html`<h2>Some queries and what came nearest</h2>
<p>The first ${examples.length} test queries, not chosen. <span class="word hit">Green</span> is the answer;
<span class="word same">amber</span> is another candidate with the same ${data.leftName}, which no model could
tell apart from it.</p>
${card(
  table(
    [
      { title: data.leftName },
      { title: data.rightName },
      { title: 'rank', numeric: true },
      { title: 'nearest five' },
    ],
    rows,
  ),
)}`;
}

export function lossCostSection(results: Results): Html {
  const { lossCost, machine } = results;
  if (lossCost === undefined) {
    return html`<h2>What the loss costs as the batch grows</h2>
<p class="note">Left out of ${leftOutOf(results)}.</p>`;
  }
  const { memory, time } = lossCostCharts(lossCost);
  const end = (kind: 'ours' | 'dense') => lossCost.ends.find((item) => item.kind === kind)?.reason ?? '';
  const { points } = lossCost;
  const largest = (kind: 'ours' | 'dense') => points.filter((point) => point.kind === kind).at(-1)!;
  const dense = largest('dense');
  const same = points.find((point) => point.kind === 'ours' && point.batch === dense.batch)!;
  const ours = largest('ours');
  const work = 8 * ours.batch ** 2 * lossCost.dim;
  const speed = work / (ours.milliseconds / 1000) / 1e9;
  return html`<h2>What the loss costs as the batch grows</h2>
<p>This is what the library is for. The loss and both gradients of one batch of 128-dimensional features, each size in a
process of its own. At ${count(dense.batch)} the dense form took ${duration(dense.milliseconds / 1000)} and
${bytes(dense.peakBytes)} beyond its inputs, infcl ${duration(same.milliseconds / 1000)} and ${bytes(same.peakBytes)}. At
${count(ours.batch)} infcl took ${duration(ours.milliseconds / 1000)} and ${bytes(ours.peakBytes)}, where one float32 matrix
of logits alone would be ${bytes(4 * ours.batch ** 2)}.</p>
<div class="pair">${titled('Peak memory beyond the inputs', memory)}${titled('Time of one loss with gradients', time)}</div>
<p class="note">Nothing is approximated: the two losses agree to ${lossDifference(lossCost).toExponential(0)} relative at the sizes both ran. Time still grows with the square of the batch (at ${count(ours.batch)}
four matrix products at ${speed.toFixed(0)} GFLOP/s); only memory is linear. The dense form is plain jax-js, which runs on one
thread, where infcl used ${machine.threads}: a fair picture of this host, not of dense losses elsewhere. Infcl ends where it does because
${end('ours')}; dense because ${end('dense')}.</p>`;
}

/** Largest relative difference between the losses of both kinds at one size. */
function lossDifference({ points }: LossCost): number {
  return points.reduce((most, { batch, loss }) => {
    const [ours, dense] = ['ours', 'dense'].map((kind) =>
      points.find((point) => point.kind === kind && point.batch === batch),
    );
    return ours && dense ? Math.max(most, Math.abs(ours.loss - dense.loss) / loss) : most;
  }, 0);
}

export function phasesSection(results: Results): Html {
  if (results.history.steps.length === 0) return html``;
  const phases: PhaseSeconds = phaseSeconds(results.history.steps);
  const total = phases.encode + phases.loss + phases.backward + phases.other;
  return html`<h2>Where a step's time goes</h2>
<p>Median of ${results.history.steps.length} steps at batch ${count(results.config.batch)}: ${duration(total)}. The encoders see the batch in chunks of
${count(chunkRows)} rows, twice: once to get features, once more to push gradients through, so that activations of one chunk exist at a
time. The first pass, ${percent(phases.encode / total, 0)} of the step, is what that costs.</p>
${card(phaseChart(phases))}
<p class="note">The encoder here is a one-layer model on one thread of WebAssembly. A deeper encoder moves the bar towards itself;
the loss does not depend on it.</p>`;
}

export function sweepSection(results: Results): Html {
  const { sweep, config } = results;
  if (sweep === undefined) {
    return html`<h2>Does a larger batch learn better?</h2>
<p class="note">Left out of ${leftOutOf(results)}. <code>npm run demo</code> draws a short version, <code>npm run demo -- --sweep</code> the full one.</p>`;
  }
  const diverged = sweep.runs.filter((run) => run.divergedAt !== undefined);
  const bestOf = (panel: 'pairs' | 'time') => {
    const means = sweep.batches.map((batch) => {
      const own = sweep.runs.filter((run) => run.panel === panel && run.batch === batch);
      return { batch, recall: own.reduce((sum, run) => sum + run.recallAt1, 0) / own.length };
    });
    return means.reduce((best, mean) => (mean.recall > best.recall ? mean : best));
  };
  const [byPairs, byTime] = [bestOf('pairs'), bestOf('time')];
  return html`<h2>Does a larger batch learn better?</h2>
<p>On the left every batch size sees equally many pairs; on the right every size trains for as long as the largest needed
for its share. Dots are seeds, lines their means. Here ${count(byPairs.batch)} was best at equal pairs (${percent(byPairs.recall)}) and
${count(byTime.batch)} at equal time (${percent(byTime.recall)}).${config.mode === 'sweep' ? '' : shortSweep(sweep, config)}</p>
${diverged.map(divergedRun)}
${card(sweepCharts(sweep))}
<p class="note">Read both panels. At equal pairs a larger batch makes fewer steps; at equal time it also sees fewer pairs, because its loss
costs more per pair. At this data size neither is a case for large batches: the claim here is exactness, memory and speed at
any batch, not accuracy per second. Recall@1 is on
${count(sweep.queries)} validation queries (standard error about ${percent(Math.sqrt(0.2 / sweep.queries))}) against all candidates; one learning rate,
${sweep.learningRate}, was picked beforehand for all sizes, partly on the same queries. These runs use a framework-free encoder with the same
mathematics, several times faster than the one above; a heavier encoder, which costs the same per pair at every batch size, would
bring the two panels closer.</p>`;
}

function shortSweep(sweep: Sweep, config: Results['config']): Html {
  const left = sweep.seedsLeftOut;
  const leftOut =
    left > 0
      ? ` ${left} more seed was left out to keep the run within ten minutes; one dot says little.`
      : '';
  return html` This is the short version, ${sweep.epochs} epochs where the model above had ${config.epochs.toFixed(0)}: its largest batch makes only
${sweep.runs[0]!.steps} steps. <code>--sweep</code> runs the full length.${leftOut}`;
}

function divergedRun({ panel, batch, seed, divergedAt }: SweepRun): Html {
  return html`<p class="warning">The training at equal ${panel}, batch ${count(batch)}, seed ${seed} diverged at step ${divergedAt ?? '?'}: its
dot says nothing about the batch size.</p>`;
}

/** For the top of the report; nothing where training went well. */
export function divergenceWarning({ history: { diverged } }: Results): Html {
  if (diverged === undefined) return html``;
  return html`<p class="warning">Training diverged at step ${diverged.step}: ${diverged.what}. The figures are those of a failed run. The
baseline, the cost of the loss and the chart over batch sizes were left out.</p>`;
}
