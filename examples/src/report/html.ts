/** Text to HTML, and numbers to text. Refuses to trust strings: the data may be a user's own file. */

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
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

/** @param rows Cells are HTML already. */
export function table(columns: Column[], rows: { cells: string[]; strong?: boolean }[]): string {
  const kind = (index: number) => (columns[index]!.numeric ? ' class="n"' : '');
  const head = columns.map(({ title }, i) => `<th${kind(i)}>${title}</th>`).join('');
  const body = rows
    .map(({ cells, strong }) => {
      const inner = cells.map((cell, i) => `<td${kind(i)}>${cell}</td>`).join('');
      return `<tr${strong ? ' class="strong"' : ''}>${inner}</tr>`;
    })
    .join('\n');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
