/**
 * The picture of docs/training-on-ranks.md: the loss curve of one process and that of several ranks, and how far they are
 * apart. Refuses runs of different settings: their curves would differ for another reason.
 */

import type { Results } from '../results.js';
import { drawChart, grid, legend, xAxis, yAxis } from './chart.js';
import { colour, variables } from './palette.js';

/** What the chart reads of a report.json. */
export type CurveRun = Pick<Results, 'config' | 'history'>;

/** |loss of ranks / loss of one process - 1| at each step. Throws RangeError for runs that are not alike. */
export function differences(one: CurveRun, several: CurveRun): number[] {
  const { ranks: none, ...ofOne } = one.config;
  const { ranks, ...ofSeveral } = several.config;
  if (none !== undefined || ranks === undefined) {
    throw new RangeError(
      `Expected a run of one process and one of ranks but received ${none} and ${ranks} ranks`,
    );
  }
  const [a, b] = [JSON.stringify(ofOne), JSON.stringify(ofSeveral)];
  if (a !== b) throw new RangeError(`Expected runs of equal settings but received ${a} and ${b}`);
  return several.history.steps.map(({ loss }, i) => Math.abs(loss / one.history.steps[i]!.loss - 1));
}

/** A picture that stands alone. Throws as {@link differences}. */
export function ranksChart(one: CurveRun, several: CurveRun): string {
  const apart = differences(one, several);
  const { steps, ranks } = several.config as Required<CurveRun['config']>;
  const losses = ({ history }: CurveRun) => history.steps.map(({ step, loss }) => [step, loss]);
  const along = (gridIndex: number) => ({ ...xAxis({ name: 'step', min: 0, max: steps }), gridIndex });
  const places = [
    { ...grid, top: 66, left: 58, width: 300 },
    { ...grid, top: 66, left: 450, width: 290 },
  ];
  const { text } = drawChart(
    {
      grid: places,
      legend,
      xAxis: [along(0), along(1)],
      yAxis: [
        { ...yAxis({ name: 'loss' }), gridIndex: 0, scale: true },
        {
          ...yAxis({ name: 'relative difference', type: 'log', format: (value) => value.toExponential(0) }),
          gridIndex: 1,
        },
      ],
      series: [
        {
          name: 'one process',
          type: 'line',
          symbol: 'none',
          lineStyle: { color: colour.other, width: 6, opacity: 0.5 },
          itemStyle: { color: colour.other },
          data: losses(one),
        },
        {
          name: `${ranks} ranks`,
          type: 'line',
          symbolSize: 5,
          lineStyle: { color: colour.ours, width: 1.5 },
          itemStyle: { color: colour.ours },
          data: losses(several),
        },
        {
          name: 'difference',
          type: 'line',
          xAxisIndex: 1,
          yAxisIndex: 1,
          symbolSize: 5,
          lineStyle: { color: colour.third, width: 1.5 },
          itemStyle: { color: colour.third },
          // equal losses have no place on a logarithmic axis
          data: apart.map((difference, i) => [i + 1, difference === 0 ? null : difference]),
        },
      ],
    },
    { width: 770, height: 322 },
    `Loss by step of one process and of ${ranks} ranks, and their relative difference`,
  );
  const card = '<rect width="100%" height="100%" rx="8" fill="var(--card)"/>';
  return `${text.replace(/<svg [^>]*>/, (tag) => `${tag}\n<style>${variables}</style>\n${card}`)}\n`;
}
