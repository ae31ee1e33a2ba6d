/**
 * The charts of performance.md as files, drawn by the renderer of the demo's report from the figures that the page
 * cites. A file has the colours of light and dark pages.
 */

import { drawChart, grid, legend, type Size, xAxis, yAxis } from 'infcl-examples/report/chart.js';
import type { Html } from 'infcl-examples/report/html.js';
import { colour, variables } from 'infcl-examples/report/palette.js';
import { Figures } from './figures.js';
import { batchFigures, peerFigures } from './performance-claims.js';
import type { CommittedResult } from './results.js';

export interface ChartFile {
  /** From the root of the project. */
  path: string;
  svg: string;
}

export function chartFiles(results: readonly CommittedResult[]): ChartFile[] {
  const figures = new Figures(results);
  return [
    { path: 'docs/performance-batch.svg', svg: standAlone(batchChart(figures)) },
    { path: 'docs/performance-peers.svg', svg: standAlone(peerChart(figures)) },
  ];
}

/** A chart of a page takes its colours from the page. A file brings them along, with a card to stand on. */
function standAlone({ text }: Html): string {
  const card = '<rect width="100%" height="100%" rx="8" fill="var(--card)"/>';
  return `${text.replace(/<svg [^>]*>/, (tag) => `${tag}\n<style>${variables}</style>\n${card}`)}\n`;
}

const batchName = (rows: number) => `${rows / 1024}k`;
const tick = (value: number) => value.toLocaleString('en');

/** Seconds at the left, memory at the right, both along the batch. The legend has a line of its own at the top. */
function batchChart(figures: Figures): Html {
  const all = batchFigures(figures);
  const line = (
    name: string,
    tint: string,
    side: number,
    pick: (figure: (typeof all)[number]) => number,
  ) => ({
    name,
    type: 'line',
    xAxisIndex: side,
    yAxisIndex: side,
    symbolSize: 7,
    lineStyle: { color: tint, width: 2.5 },
    itemStyle: { color: tint },
    data: all.map((figure) => [figure.batch, pick(figure)]),
  });
  const along = (gridIndex: number) => ({
    ...xAxis({ name: 'batch B', type: 'log', format: batchName, min: 4096, max: 65536 }),
    gridIndex,
  });
  const upwards = (gridIndex: number, name: string) => ({
    ...yAxis({ name, type: 'log', format: tick }),
    gridIndex,
  });
  return drawChart(
    {
      grid: [
        { ...grid, top: 66, left: 58, width: 300 },
        { ...grid, top: 66, left: 440, width: 300 },
      ],
      legend,
      xAxis: [along(0), along(1)],
      yAxis: [upwards(0, 'seconds of a call'), upwards(1, 'MiB')],
      series: [
        line('infcl, seconds', colour.third, 0, ({ seconds }) => seconds),
        line('infcl, peak memory', colour.ours, 1, ({ peakMiB }) => peakMiB),
        line('one B × B matrix', colour.other, 1, ({ denseMiB }) => denseMiB),
      ],
    },
    { width: 770, height: 322 },
    'Seconds and peak memory of a call by batch size',
  );
}

/** One bar for each peer. The axis is logarithmic: the factors lie two orders of magnitude apart. */
function peerChart(figures: Figures): Html {
  const peers = peerFigures(figures);
  const size: Size = { width: 770, height: 34 * peers.length + 60 };
  const values = xAxis({
    name: 'times faster than the library (logarithmic)',
    type: 'log',
    format: tick,
    min: 1,
  });
  return drawChart(
    {
      grid: { ...grid, left: 150, right: 58, top: 10, bottom: 44 },
      xAxis: { ...values, logBase: 10, splitLine: { show: false } },
      yAxis: {
        ...yAxis({ name: '', type: 'category', data: peers.map(({ label }) => label) }),
        inverse: true,
        axisLabel: { color: colour.ink, fontSize: 12, interval: 0 },
      },
      series: [
        {
          type: 'bar',
          barWidth: 14,
          itemStyle: { color: colour.ours, borderRadius: [0, 2, 2, 0] },
          label: {
            show: true,
            position: 'right',
            color: colour.ink,
            fontSize: 12,
            formatter: ({ value }: { value: number }) => `${value.toFixed(value < 2 ? 2 : 1)} ×`,
          },
          data: peers.map(({ timesFaster }) => timesFaster),
        },
      ],
    },
    size,
    'How many times faster infcl is than other libraries',
  );
}
