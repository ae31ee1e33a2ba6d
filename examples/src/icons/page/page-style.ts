/** The style of the page beside that of reports: search field, grid of icons, detail. Refuses colours of its own. */

export const pageStyle = `
main { max-width: 76rem; }
[hidden] { display: none !important; }
.search { display: flex; flex-wrap: wrap; gap: 0.6rem 1.2rem; align-items: center; margin: 1.5rem 0 0.5rem; }
.search input[type=search] { flex: 1 1 16rem; min-width: 0; font: inherit; font-size: 1.2rem; padding: 0.6rem 0.9rem;
  color: var(--ink); background: var(--card); border: 1px solid var(--grid); border-radius: 10px; }
.search label { display: flex; gap: 0.5rem; align-items: center; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
#status { color: var(--muted); min-height: 1.6em; margin: 0.4rem 0; }
button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 8px; cursor: pointer; }
#examples button, #words button { border-color: var(--grid); background: var(--card); padding: 0.15rem 0.6rem; margin: 0 0.3rem 0.3rem 0; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.2rem; align-items: start; }
#results { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr)); }
#results button { width: 100%; height: 100%; padding: 0.8rem 0.3rem 0.5rem; display: flex; flex-direction: column; align-items: center; gap: 0.5rem;
  background: var(--card); border-color: var(--grid); }
#results button:hover, #results button[aria-pressed] { border-color: var(--accent); }
#results button span:last-child { font-size: 0.78rem; line-height: 1.25; color: var(--muted); overflow-wrap: anywhere; }
.icon { display: block; width: 2.4rem; height: 2.4rem; background: var(--ink);
  -webkit-mask: center / contain no-repeat; mask: center / contain no-repeat; }
#detail { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; padding: 1rem 1.1rem; position: sticky; top: 1rem; }
#detail h2 { margin: 0.6rem 0 0; overflow-wrap: anywhere; }
#detail h3 { margin-top: 1rem; }
#picture .icon { width: 5rem; height: 5rem; }
#close { position: absolute; top: 0.4rem; right: 0.5rem; font-size: 1.4rem; line-height: 1; padding: 0.3rem 0.6rem; color: var(--muted); }
#words { list-style: none; margin: 0; padding: 0; }
#words li { display: grid; grid-template-columns: minmax(0, 1fr) 6rem; align-items: center; gap: 0.5rem; }
#words button { justify-self: start; max-width: 100%; overflow-wrap: anywhere; text-align: left; }
#words .bar { height: 0.5rem; border-radius: 4px; background: linear-gradient(var(--ours), var(--ours)) left / calc(100% * var(--share)) 100% no-repeat var(--grid); }
details { margin-top: 2.5rem; color: var(--muted); font-size: 0.9rem; }
@media (min-width: 52rem) { .columns:has(#detail:not([hidden])) { grid-template-columns: minmax(0, 1fr) 19rem; } }
@media (max-width: 51.99rem) { #detail { position: fixed; inset: auto 0 0 0; max-height: 55vh; overflow-y: auto; border-radius: 14px 14px 0 0; z-index: 1; }
  #picture .icon { width: 3.2rem; height: 3.2rem; } }
`;
