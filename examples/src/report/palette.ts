/**
 * Colours of the report. Charts are drawn once with stand-in colours that then become CSS variables, so that one
 * picture serves light and dark pages.
 */

const names = ['ink', 'muted', 'grid', 'ours', 'other', 'third', 'fourth', 'fifth', 'sixth', 'card'] as const;
export type ColourName = (typeof names)[number];

/** A colour no chart would use by itself. */
const standIn = (index: number) => `#0a0b0${index}`;

export const colour = Object.fromEntries(names.map((name, i) => [name, standIn(i)])) as Record<
  ColourName,
  string
>;

/** In an SVG: stand-ins to `var(--name)`. */
export function withVariables(svg: string): string {
  return names.reduce((text, name, i) => text.replaceAll(standIn(i), `var(--${name})`), svg);
}

/** Values of the variables, for light and dark pages. A picture that stands alone needs them too. */
export const variables = `
:root { color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1d1f24; --muted: #686d78; --grid: #e3e1dc; --accent: #0f6b62;
  --ours: #0f8577; --other: #d0632b; --third: #5b6ec7; --fourth: #9b9fa9; --fifth: #b0892a; --sixth: #a8518f; --hit: #d9f0ec; --same: #f6ead9; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --card: #1b1e24; --ink: #e8e6e1; --muted: #9aa0ab; --grid: #31353d; --accent: #5cc9ba;
  --ours: #3bb8a6; --other: #e98a55; --third: #8d9df0; --fourth: #777c88; --fifth: #d9b24e; --sixth: #d487bd; --hit: #17403b; --same: #46361f; } }
`;

export const style = `${variables}* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 61rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 0.5rem; text-wrap: balance; }
h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin: 3.25rem 0 0.4rem; }
h3 { font-size: 0.95rem; margin: 0 0 0.35rem; }
p { margin: 0.4rem 0 1rem; max-width: 46rem; }
.lead { font-size: 1.1rem; color: var(--muted); }
.eyebrow { color: var(--accent); font-weight: 600; font-size: 0.85rem; margin: 0 0 0.4rem; }
a { color: var(--accent); }
.note { color: var(--muted); font-size: 0.92rem; }
.warning { border-left: 3px solid var(--other); padding-left: 0.8rem; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.9rem; margin: 1.75rem 0 0; }
.tile, .card { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; }
.tile { padding: 0.9rem 1.1rem; }
.tile b { display: block; font-size: 1.75rem; line-height: 1.25; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 0.88rem; line-height: 1.4; display: block; }
.card { padding: 1.1rem 1.2rem; margin: 1rem 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(23rem, 1fr)); gap: 1rem; }
.pair .card { margin: 0; }
.card svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--muted); font-weight: 500; font-size: 0.86rem; }
th, td { padding: 0.5rem 0.7rem; border-bottom: 1px solid var(--grid); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr.strong td { font-weight: 600; }
.word { display: inline-block; padding: 0 0.45rem; margin: 0 0.15rem 0.15rem 0; border-radius: 5px; white-space: nowrap; }
.word.hit { background: var(--hit); font-weight: 600; }
.word.same { background: var(--same); }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--grid); color: var(--muted); font-size: 0.86rem; }
footer p { max-width: none; margin: 0.3rem 0; }
@media (max-width: 30rem) { .pair { grid-template-columns: 1fr; } main { padding-top: 1.75rem; } h1 { font-size: 1.6rem; } }
`;
