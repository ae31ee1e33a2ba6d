/** Charts of the page, drawn by the renderer of the demo's report. Each one is drawn for a wide page and for a phone. */
import { drawChart, grid, type Size, xAxis, yAxis } from 'infcl-examples/report/chart.js';
import { type Html, html } from 'infcl-examples/report/html.js';
import { colour } from 'infcl-examples/report/palette.js';
import { axisName, type Plot, sizeIn, tickText, valueText } from './page-series.js';
import type { BarsSpec, ChartSpec, LinesSpec } from './page-specs.js';

interface Layout {
  width: number;
  /** Characters in a line of a label beside bars. */
  labelWidth: number;
}

const phone: Layout = { width: 310, labelWidth: 17 };
const half: Layout = { width: 430, labelWidth: 28 };
const whole: Layout = { width: 890, labelWidth: 44 };

/** Names of the colours, as text of the page: a legend within a chart does not wrap on a phone. */
function legendOf({ series }: Plot): Html {
  const items = series.map(({ name, tint }) => html`<li><i class="${classOf(tint)}"></i>${name}</li>`);
  return html`<ul class="legend">${items}</ul>`;
}

const classOf = (tint: string) => Object.entries(colour).find(([, value]) => value === tint)![0];

/** Both drawings; the style sheet shows one of them. */
function bothWidths(wide: Layout, draw: (layout: Layout) => Html): Html {
  return html`<div class="on-wide">${draw(wide)}</div><div class="on-phone">${draw(phone)}</div>`;
}

/** Breaks a label after commas, and within a phrase only where the phrase is longer than a line. */
function wrap(label: string, width: number): string {
  const lines = [''];
  const place = (text: string) => {
    const longer = `${lines.at(-1)} ${text}`.trim();
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(text);
  };
  for (const phrase of label.split(/(?<=,) | (?=\()/)) {
    if (phrase.length <= width) place(phrase);
    else {
      lines.push('');
      phrase.split(' ').forEach(place);
    }
  }
  return lines.filter((line) => line !== '').join('\n');
}

export function barChart(plot: Plot, spec: ChartSpec, isWhole: boolean): Html {
  const { labels, series } = plot;
  const draw = (layout: Layout) => {
    const wrapped = labels.map((label) => wrap(label, layout.labelWidth));
    const lines = Math.max(...wrapped.flatMap((text) => text.split('\n').length));
    const longest = Math.max(...wrapped.flatMap((text) => text.split('\n').map((line) => line.length)));
    const band = Math.max(15 * series.length + 12, 14 * lines + 8);
    const size: Size = { width: layout.width, height: band * labels.length + (hasReference(spec) ? 72 : 56) };
    return drawChart(barOption(plot, spec, { wrapped, left: 6.4 * longest + 16 }), size, nameOf(spec));
  };
  return html`${legendOf(plot)}${bothWidths(isWhole ? whole : half, draw)}`;
}

function barOption(
  { series }: Plot,
  spec: ChartSpec,
  { wrapped, left }: { wrapped: string[]; left: number },
): Parameters<typeof drawChart>[0] {
  const reference = hasReference(spec) ? spec.reference : undefined;
  const values = xAxis({
    name: axisName(spec),
    type: spec.log ? 'log' : 'value',
    format: tickText,
    ...(!spec.log && { min: 0 }),
  });
  return {
    grid: { ...grid, left, right: 58, top: reference ? 24 : 8, bottom: 44 },
    xAxis: {
      ...values,
      ...(spec.log && { logBase: 10 }),
      // names of an axis are centred on bars, which begin right of the labels
      nameGap: 26,
      splitNumber: 4,
      splitLine: { show: true, lineStyle: { color: colour.grid } },
      axisLabel: { ...values.axisLabel, hideOverlap: true },
    },
    yAxis: {
      ...yAxis({ name: '', type: 'category', data: wrapped }),
      inverse: true,
      axisLabel: { color: colour.ink, fontSize: 12, interval: 0, lineHeight: 14 },
    },
    series: series.map(({ name, tint, values }, i) => ({
      name,
      type: 'bar',
      data: values,
      barWidth: 12,
      barGap: '25%',
      itemStyle: { color: tint, borderRadius: [0, 2, 2, 0] },
      label: {
        show: true,
        position: 'right',
        color: colour.muted,
        fontSize: 11,
        textBorderColor: colour.card,
        textBorderWidth: 3,
        formatter: ({ value }: { value: number | null }) => (value === null ? '' : valueText(value)),
      },
      ...(i === 0 && reference && { markLine: lineAt(reference) }),
    })),
  };
}

function hasReference(spec: ChartSpec): spec is BarsSpec & { reference: object } {
  return spec.kind === 'bars' && spec.reference !== undefined;
}

function lineAt({ value, name }: { value: number; name: string }) {
  return {
    symbol: 'none',
    silent: true,
    z: 0, // behind bars and their figures
    lineStyle: { color: colour.muted, type: 'dashed' },
    label: { color: colour.muted, fontSize: 11, formatter: name, position: 'start', rotate: 0 },
    data: [{ xAxis: value }],
  };
}

/** Lines along sizes; sizes double, so their axis is logarithmic. */
export function lineChart(plot: Plot, spec: LinesSpec): Html {
  const draw = (layout: Layout) =>
    drawChart(lineOption(plot, spec), { width: layout.width, height: 300 }, nameOf(spec));
  return html`${legendOf(plot)}${bothWidths(half, draw)}`;
}

function lineOption({ labels, series }: Plot, spec: LinesSpec): Parameters<typeof drawChart>[0] {
  const sizes = labels.map((label) => sizeIn(label, spec.along));
  const name = spec.along === 'B' ? 'batch B (rows)' : 'features D (numbers in a row)';
  const sizeText = (size: number) => (size >= 1024 ? `${tickText(size / 1024)}k` : `${size}`);
  return {
    grid: { ...grid, top: 36 },
    xAxis: xAxis({
      name,
      type: 'log',
      format: sizeText,
      min: Math.min(...sizes),
      max: 2 ** Math.ceil(Math.log2(Math.max(...sizes))),
    }),
    yAxis: yAxis({
      name: axisName(spec),
      type: spec.log ? 'log' : 'value',
      format: tickText,
      ...(!spec.log && { min: 0 }),
    }),
    series: series.map(({ name: title, tint, values }) => ({
      name: title,
      type: 'line',
      symbolSize: 7,
      lineStyle: { color: tint, width: 2.5 },
      itemStyle: { color: tint },
      data: values.flatMap((value, i) => (value === null ? [] : [[sizes[i], value]])),
    })),
  };
}

const nameOf = (spec: ChartSpec) => axisName(spec);
