/** The charts of the report, from results to SVG. Refuses to interpret; the words are in `sections.ts`. */

import type { LossCost } from '../measure/loss-cost.js';
import type { Sweep, SweepRun } from '../measure/sweep.js';
import type { Results } from '../results.js';
import type { History, StepRecord } from '../train/loop.js';
import { drawChart, grid, legend, xAxis, yAxis } from './chart.js';
import type { Html } from './html.js';
import { colour } from './palette.js';

const half = { width: 460, height: 300 };
const wide = { width: 940, height: 300 };
const share = (value: number) => `${Math.round(value)} %`;
const batchName = (batch: number) => (batch >= 1024 ? `${batch / 1024}k` : `${batch}`);

/** A dashed line across a chart of accuracies, with its name and value. */
export interface LevelLine {
  name: string;
  /** From 0 to 1. */
  value: number;
  tint: string;
}

export interface AccuracyCurve {
  history: History;
  /** Steps of the whole run. */
  steps: number;
  /** What the curve shows, for its axis and for readers of the page. */
  name: string;
  label: string;
  lines: readonly LevelLine[];
}

export function learningCurve({ history, config, cca, ceiling }: Results): Html {
  const lines = [{ name: 'ceiling of the test', value: ceiling.recallAt1, tint: colour.fourth }];
  if (cca) lines.push({ name: 'linear CCA on the test', value: cca.metrics.recallAt1, tint: colour.other });
  const label = 'Recall at one on validation queries by training step';
  return accuracyCurve({ history, steps: config.steps, name: 'recall@1 on validation', label, lines });
}

export function accuracyCurve({ history, steps, name, label, lines }: AccuracyCurve): Html {
  const lineSeries = ({ name: title, value, tint }: LevelLine, index: number) => ({
    name: title,
    type: 'line',
    data: [],
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: { color: tint, type: 'dashed' },
      label: {
        color: colour.muted,
        formatter: `${title} ${(100 * value).toFixed(1)} %`,
        // two lines that lie close keep their names from each other
        position: index % 2 === 0 ? 'insideStartTop' : 'insideEndBottom',
      },
      data: [{ yAxis: 100 * value }],
    },
  });
  return drawChart(
    {
      grid,
      xAxis: xAxis({ name: 'step', min: 0, max: steps }),
      yAxis: yAxis({ name, format: share, min: 0, max: 100 }),
      series: [
        {
          type: 'line',
          data: history.curve.map(({ step, recallAt1 }) => [step, 100 * recallAt1]),
          symbolSize: 7,
          lineStyle: { color: colour.ours, width: 2.5 },
          itemStyle: { color: colour.ours },
        },
        ...lines.map(lineSeries),
      ],
    },
    half,
    label,
  );
}

export function lossCurve({ history, config }: { history: History; config: { steps: number } }): Html {
  const series = (name: string, pick: (record: StepRecord) => number, tint: string, yAxisIndex = 0) => ({
    name,
    type: 'line',
    yAxisIndex,
    symbol: 'none',
    lineStyle: { color: tint, width: 2.5 },
    itemStyle: { color: tint },
    data: history.steps.map((record) => [record.step, pick(record)]),
  });
  return drawChart(
    {
      grid: { ...grid, right: 46 },
      legend,
      xAxis: xAxis({ name: 'step', min: 0, max: config.steps }),
      yAxis: [
        yAxis({ name: 'loss' }),
        { ...yAxis({ name: '', min: 0, format: String }), splitLine: { show: false } },
      ],
      series: [
        series('loss', ({ loss }) => loss, colour.ours),
        series('scale (right axis)', ({ scale }) => scale, colour.third, 1),
      ],
    },
    half,
    'Loss and learnt scale by training step',
  );
}

export function lossCostCharts({ points }: LossCost): { memory: Html; time: Html } {
  const series = (kind: 'ours' | 'dense', value: (point: LossCost['points'][number]) => number) => ({
    name: kind === 'ours' ? 'infcl' : 'dense b × b, jax-js',
    type: 'line',
    symbolSize: 7,
    lineStyle: { width: 2.5 },
    color: kind === 'ours' ? colour.ours : colour.other,
    data: points.filter((point) => point.kind === kind).map((point) => [point.batch, value(point)]),
  });
  const draw = (name: string, value: (point: LossCost['points'][number]) => number, label: string) =>
    drawChart(
      {
        grid,
        legend,
        xAxis: xAxis({ name: 'batch', type: 'log', format: batchName }),
        yAxis: yAxis({ name, type: 'log', format: (v) => v.toLocaleString('en') }),
        series: [series('ours', value), series('dense', value)],
      },
      half,
      label,
    );
  return {
    // a growth too small to see in whole pages has no logarithm
    memory: draw(
      'MB',
      (point) => Math.max(1, point.peakBytes / 1e6),
      'Peak memory of one loss by batch size',
    ),
    time: draw('milliseconds', (point) => point.milliseconds, 'Time of one loss by batch size'),
  };
}

export interface PhaseSeconds {
  encode: number;
  loss: number;
  backward: number;
  other: number;
}

/** Medians over the steps: the first one compiles kernels. */
export function phaseSeconds(steps: readonly StepRecord[]): PhaseSeconds {
  const median = (pick: (record: StepRecord) => number) => {
    const sorted = steps.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  const { encode, loss, backward } = {
    encode: median(({ cost }) => cost.encode.seconds),
    loss: median(({ cost }) => cost.loss.seconds),
    backward: median(({ cost }) => cost.backward.seconds),
  };
  return { encode, loss, backward, other: Math.max(0, median((r) => r.seconds) - encode - loss - backward) };
}

export function phaseChart(phases: PhaseSeconds): Html {
  const bar = (name: string, seconds: number, tint: string) => ({
    name,
    type: 'bar',
    stack: 'step',
    barWidth: 34,
    data: [seconds],
    itemStyle: { color: tint },
  });
  return drawChart(
    {
      grid: { left: 20, right: 24, top: 44, bottom: 50 },
      legend: { ...legend, left: 10, right: undefined, itemGap: 44 },
      xAxis: {
        ...xAxis({ name: 'seconds of a step' }),
        splitLine: { show: true, lineStyle: { color: colour.grid } },
      },
      yAxis: { ...yAxis({ name: '', type: 'category', data: ['step'] }), axisLabel: { show: false } },
      series: [
        bar('encode (no graph)', phases.encode, colour.third),
        bar('loss', phases.loss, colour.ours),
        bar('encode again and backward', phases.backward, colour.other),
        bar('optimiser and the rest', phases.other, colour.fourth),
      ],
    },
    { width: 940, height: 170 },
    'Seconds by phase of a training step',
  );
}

export function sweepCharts({ runs, batches }: Sweep): Html {
  const recalls = runs.map(({ recallAt1 }) => 100 * recallAt1);
  const least = Math.max(0, 5 * Math.floor((Math.min(...recalls) - 1) / 5));
  const most = Math.min(100, 5 * Math.ceil((Math.max(...recalls) + 1) / 5));
  const panels = (['pairs', 'time'] as const).map((panel) => runs.filter((run) => run.panel === panel));
  const titles = ['equal pairs', 'equal time'];
  const sides = [
    { left: 58, right: '53%' },
    { left: '53%', right: 24 },
  ];
  const axisOf = (index: number) => ({ gridIndex: index });
  return drawChart(
    {
      title: titles.map((text, i) => ({
        text,
        left: i === 0 ? 58 : '53%',
        top: 2,
        textStyle: { color: colour.ink, fontSize: 13, fontWeight: 600 },
      })),
      grid: sides.map((side) => ({ ...grid, ...side })),
      xAxis: sides.map((_, i) => ({
        ...xAxis({ name: 'batch', type: 'category', data: batches.map(batchName) }),
        ...axisOf(i),
      })),
      yAxis: sides.map((_, i) => ({
        ...yAxis({ name: '', format: share, min: least, max: most }),
        interval: 5,
        ...axisOf(i),
      })),
      series: panels.flatMap((panel, i) => sweepSeries(panel, batches, i)),
    },
    wide,
    'Recall at one by batch size, at equal pairs and at equal time',
  );
}

/** Dots of single seeds, and a line through their means. */
function sweepSeries(runs: SweepRun[], batches: number[], index: number) {
  const meanOf = (batch: number) => {
    const own = runs.filter((run) => run.batch === batch);
    return (100 * own.reduce((sum, run) => sum + run.recallAt1, 0)) / own.length;
  };
  const axes = { xAxisIndex: index, yAxisIndex: index };
  const tint = index === 0 ? colour.ours : colour.third;
  return [
    {
      ...axes,
      type: 'line',
      symbol: 'none',
      lineStyle: { color: tint, width: 1.5, opacity: 0.6 },
      data: batches.map((batch) => [batchName(batch), meanOf(batch)]),
    },
    {
      ...axes,
      type: 'scatter',
      symbolSize: 9,
      itemStyle: { color: tint, opacity: 0.85 },
      data: runs.map((run) => [batchName(run.batch), 100 * run.recallAt1]),
    },
  ];
}
