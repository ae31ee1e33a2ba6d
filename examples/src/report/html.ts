/**
 * Text to HTML, and numbers to text. What is put into a template is escaped by the template itself, so that no
 * interpolation can forget it. Refuses to trust strings: the data may be a user's own file.
 */

/** Markup that was made on purpose, unlike a string, which is text. */
export class Html {
  constructor(readonly text: string) {}
}

/** Values that may stand in a template. Types are not trusted either: all but {@link Html} is escaped. */
export type Fragment = Html | string | number | readonly (Html | string | number)[];

/** A template whose interpolated values are escaped unless they are {@link Html} themselves. Lists are joined. */
export function html(strings: TemplateStringsArray, ...values: Fragment[]): Html {
  return new Html(strings.reduce((text, part, i) => text + render(values[i - 1]!) + part));
}

/** For markup from the demo's own code that is no template: a chart's SVG, the style sheet. Never for data. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

/** Fragments with text between them, such as a comma. */
export function join(fragments: readonly Html[], between: string): Html {
  return new Html(fragments.map(render).join(escapeHtml(between)));
}

function render(value: Fragment): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeHtml(String(value));
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** In a unit that suits. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return `${(seconds / 60).toFixed(1)} min`;
}

export function bytes(value: number): string {
  return value < 1e9 ? `${(value / 1e6).toFixed(0)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

export interface Column {
  title: string;
  numeric?: boolean;
}

export function table(columns: Column[], rows: { cells: Fragment[]; strong?: boolean }[]): Html {
  const kind = (index: number) => (columns[index]!.numeric ? html` class="n"` : '');
  const head = columns.map(({ title }, i) => html`<th${kind(i)}>${title}</th>`);
  const body = rows.map(({ cells, strong }) => {
    const inner = cells.map((cell, i) => html`<td${kind(i)}>${cell}</td>`);
    return html`<tr${strong ? html` class="strong"` : ''}>${inner}</tr>\n`;
  });
  return html`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}</tbody></table></div>`;
}
