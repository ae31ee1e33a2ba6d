/** What the page adds to the style sheet of the demo's report: legends, tables that open, charts for a phone. */
const swatches = ['ours', 'other', 'third', 'fourth', 'fifth', 'sixth', 'muted'].map(
  (name) => `.legend .${name} { background: var(--${name}); }`,
);

export const pageStyle = `
h3.case { font-size: 1.05rem; margin: 2.25rem 0 0.5rem; text-wrap: balance; }
h4 { font-size: 0.92rem; margin: 0 0 0.4rem; overflow-wrap: anywhere; }
code { font-size: 0.88em; color: var(--muted); overflow-wrap: anywhere; }
h3.case code { font-weight: 400; }
section > .card, section > .pair { margin: 0.8rem 0; }
.pair { align-items: start; grid-template-columns: repeat(auto-fill, minmax(23rem, 1fr)); }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; margin: 0 0 0.5rem; padding: 0; list-style: none;
  color: var(--muted); font-size: 0.85rem; }
.legend i { display: inline-block; width: 1.1rem; height: 0.5rem; border-radius: 2px; margin-right: 0.45rem; vertical-align: 0.06rem; }
${swatches.join('\n')}
.on-phone { display: none; }
details { margin: 0.6rem 0 0; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; padding: 0.35rem 0; }
details h4 { margin: 1rem 0 0.2rem; }
details table { font-size: 0.86rem; }
details td { padding: 0.35rem 0.7rem; }
details td:first-child { min-width: 10rem; }
details td:last-child:not(.n):not(:first-child) { min-width: 12rem; }
.machines { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.machines .card { margin: 0; min-width: 0; }
dl { display: grid; grid-template-columns: minmax(0, 10rem) 1fr; gap: 0.15rem 0.9rem; margin: 0; font-size: 0.86rem; line-height: 1.45; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .on-wide { display: none; }
  .on-phone { display: block; }
  .card { padding: 0.9rem 0.9rem; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
  .machines, .pair { grid-template-columns: minmax(0, 1fr); }
  dl { grid-template-columns: minmax(0, 8rem) 1fr; }
  details td:first-child { min-width: 8rem; }
}
`;
