/**
 * Draws one echarts chart to an SVG string, without a browser and without animation. Refuses everything that would
 * need a script in the page.
 */

import * as echarts from 'echarts';
import { escapeHtml, type Html, trustedHtml } from './html.js';
import { colour, withVariables } from './palette.js';

export interface Size {
  width: number;
  height: number;
}

export const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

export function drawChart(option: echarts.EChartsCoreOption, { width, height }: Size, label: string): Html {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: font, color: colour.ink }, ...option });
    const svg = withVariables(withoutStyle(chart.renderToSVGString()));
    // the text inside was escaped by echarts
    return trustedHtml(svg.replace('<svg ', () => `<svg role="img" aria-label="${escapeHtml(label)}" `));
  } finally {
    chart.dispose();
  }
}

/** Without rules for a pointer above a shape: echarts mixes their colours from the stand-ins of the palette. */
function withoutStyle(svg: string): string {
  return svg.replace(/<style.*?<\/style>/gs, '');
}

interface AxisOptions {
  name: string;
  type?: 'value' | 'log' | 'category';
  format?: (value: number) => string;
  min?: number;
  max?: number;
  data?: string[];
}

/** An axis in the report's colours. Logarithmic axes are to base 2 along batch sizes, to base 10 upwards. */
function axis({ name, type = 'value', format, min, max, data }: AxisOptions) {
  return {
    type,
    name,
    min,
    max,
    data,
    nameTextStyle: { color: colour.muted, fontSize: 12 },
    axisLine: { lineStyle: { color: colour.grid } },
    axisTick: { show: false },
    axisLabel: { color: colour.muted, fontSize: 12, ...(format && { formatter: format }) },
    splitLine: { lineStyle: { color: colour.grid } },
    minorSplitLine: { show: false },
  };
}

export function xAxis(options: AxisOptions) {
  return {
    ...axis(options),
    ...(options.type === 'log' && { logBase: 2 }),
    nameLocation: 'middle',
    nameGap: 28,
    splitLine: { show: false },
  };
}

export function yAxis(options: AxisOptions) {
  // the name reads upright above the axis, flush with its labels
  return {
    ...axis(options),
    nameLocation: 'end',
    nameTextStyle: { color: colour.muted, fontSize: 12, align: 'left' },
  };
}

export const grid = { left: 58, right: 24, top: 44, bottom: 50 };

export const legend = {
  right: 10,
  top: 4,
  itemWidth: 18,
  itemHeight: 8,
  // text is measured without a browser, and a page's font may be wider
  itemGap: 24,
  textStyle: { color: colour.muted, fontSize: 12 },
};
