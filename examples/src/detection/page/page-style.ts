/**
 * The style of the page beside that of reports: controls, scenes, boxes. Boxes lie on pictures, so their
 * colours are the same in light and dark, and each kind has another line as well.
 */

export const pageStyle = `
main { max-width: 82rem; }
:root { --right: #0b8a4a; --misnamed: #c85f00; --wrong: #d01f2e; --asked: #1d4ed8; }
.controls { display: flex; flex-wrap: wrap; gap: 0.7rem 1.6rem; align-items: center; margin: 1.5rem 0 0.5rem; }
.controls label { display: flex; gap: 0.6rem; align-items: center; }
.controls input[type=search] { flex: 1 1 18rem; min-width: 0; font: inherit; font-size: 1.1rem; padding: 0.5rem 0.8rem;
  color: var(--ink); background: var(--card); border: 1px solid var(--grid); border-radius: 10px; }
.controls input[type=range] { width: 14rem; max-width: 45vw; accent-color: var(--accent); }
output { font-variant-numeric: tabular-nums; min-width: 2.5rem; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
#status { color: var(--muted); min-height: 1.6em; margin: 0.4rem 0; max-width: none; }
#examples button { font: inherit; color: inherit; cursor: pointer; border: 1px solid var(--grid); border-radius: 8px; background: var(--card);
  padding: 0.15rem 0.6rem; margin: 0 0.3rem 0.3rem 0; }
.key { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; padding: 0; margin: 0.5rem 0 1rem; list-style: none; font-size: 0.9rem; color: var(--muted); }
.key .box { position: static; display: inline-block; width: 1.1rem; height: 0.8rem; vertical-align: -0.1rem; margin-right: 0.4rem; }
#scenes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1.1rem; }
figure { margin: 0; min-width: 0; }
.frame { position: relative; overflow: hidden; border-radius: 8px; }
.frame img { display: block; width: 100%; aspect-ratio: 1; }
.layer { position: absolute; inset: 0; }
.box { position: absolute; box-sizing: border-box; border: 2px solid; }
.box.right { border-color: var(--right); }
.box.misnamed { border-color: var(--misnamed); border-style: dashed; }
.box.wrong { border-color: var(--wrong); border-style: dotted; border-width: 3px; }
.box.asked { border-color: var(--asked); border-width: 4px; box-shadow: 0 0 0 2px #fff; }
.box.missing { border: 2px dashed #fff; outline: 1px dashed #222; }
.box span { position: absolute; left: -2px; bottom: 100%; padding: 0 0.3rem; font-size: 0.72rem; line-height: 1.35; white-space: nowrap;
  color: #fff; }
.box span.below { bottom: auto; top: 0; }
.box span.leftwards { left: auto; right: -2px; }
.box.right span { background: var(--right); }
.box.misnamed span { background: #a94f00; }
.box.wrong span { background: var(--wrong); }
.box.asked span { background: var(--asked); font-size: 0.85rem; }
figcaption { font-size: 0.8rem; color: var(--muted); line-height: 1.35; margin-top: 0.3rem; overflow-wrap: anywhere; }
details { margin-top: 2.5rem; color: var(--muted); font-size: 0.9rem; }
`;
