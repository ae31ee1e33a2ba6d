/**
 * The page's behaviour: a slider for the score, and words that highlight the boxes they fit. Writes text as
 * text, so that nothing in the data can run. Refuses to fetch anything.
 */

import { encodeText } from '../../icons/client/text-encoder.js';
import { type Edges, type PageBox, type PageData, type PageScene, unpack } from './page-data.js';
import { fitsOf } from './query.js';

/** From here on, words highlight a box: they fit half as well as its own name. */
const leastFit = 0.5;
const signs = { right: '✓', misnamed: '≠', wrong: '✗', asked: '' };

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const page = {
  slider: element<HTMLInputElement>('score'),
  shown: element('shown-score'),
  missed: element<HTMLInputElement>('missed'),
  query: element<HTMLInputElement>('query'),
  names: element('names'),
  status: element('status'),
  scenes: element('scenes'),
  examples: element('examples'),
};

/** A scene on the page. */
interface View {
  scene: PageScene;
  /** Number of its first box. */
  first: number;
  figure: HTMLElement;
  layer: HTMLElement;
}

async function start(): Promise<void> {
  page.status.textContent = 'Unpacking the scenes …';
  let data: PageData;
  try {
    data = await unpack(element('data').textContent ?? '');
  } catch (error) {
    page.status.textContent = `This browser cannot unpack the scenes (it needs DecompressionStream): ${String(error)}`;
    return;
  }
  const views = viewsOf(data);
  page.names.replaceChildren(
    ...data.names.map((name) => {
      const option = document.createElement('option');
      option.value = name;
      return option;
    }),
  );
  const answer = () => show(data, views);
  for (const control of [page.slider, page.query, page.missed]) control.addEventListener('input', answer);
  page.examples.addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    page.query.value = target.textContent ?? '';
    answer();
  });
  answer();
}

function viewsOf(data: PageData): View[] {
  let first = 0;
  return data.scenes.map((scene, i) => {
    const figure = document.createElement('figure');
    const frame = document.createElement('div');
    const picture = document.createElement('img');
    const layer = document.createElement('div');
    const caption = document.createElement('figcaption');
    const names = scene.things.map(({ label, novel }) => (novel ? `${label} (novel)` : label)).join(', ');
    picture.src = `data:image/webp;base64,${scene.image}`;
    picture.alt = `Scene ${i + 1}: ${names}`;
    frame.className = 'frame';
    layer.className = 'layer';
    caption.textContent = names;
    frame.append(picture, layer);
    figure.append(frame, caption);
    const view = { scene, first, figure, layer };
    first += scene.boxes.length;
    return view;
  });
}

function show(data: PageData, views: View[]): void {
  const least = Number(page.slider.value) / 100;
  page.shown.textContent = least.toFixed(2);
  const text = page.query.value.trim();
  if (text === '') showAll(data, views, least);
  else showAsked(data, views, text);
}

function showAll(data: PageData, views: View[], least: number): void {
  page.slider.disabled = false;
  const counts = { right: 0, misnamed: 0, wrong: 0 };
  let missing = 0;
  for (const { scene, layer } of views) {
    const boxes = scene.boxes.filter(({ score }) => score >= least);
    for (const { outcome } of boxes) counts[outcome]++;
    const missed = scene.things.filter((thing) => !boxes.some(({ box }) => overlap(box, thing.box) >= 0.5));
    missing += missed.length;
    layer.replaceChildren(
      ...(page.missed.checked ? missed.map(({ box }) => boxElement(data, box, 'missing', '')) : []),
      ...boxes.map((box) => boxElement(data, box.box, box.outcome, labelOf(box, box.outcome))),
    );
  }
  page.scenes.replaceChildren(...views.map(({ figure }) => figure));
  const { right, misnamed, wrong } = counts;
  page.status.textContent =
    `${data.scenes.length} scenes. Boxes: ${right} right, ${misnamed} on a thing with a wrong name, ` +
    `${wrong} wrong. Things without a box: ${missing}.`;
}

function showAsked(data: PageData, views: View[], text: string): void {
  // words are compared with the box's own name, whatever its score
  page.slider.disabled = true;
  const feature = encodeText(data, text);
  if (feature === undefined) {
    for (const { layer } of views) layer.replaceChildren();
    page.status.textContent =
      'No part of these words occurred in training, so no box fits better than another.';
    return;
  }
  const fits = fitsOf(data, feature);
  const best = (view: View) =>
    view.scene.boxes.reduce((most, _, i) => Math.max(most, fits[view.first + i]!), 0);
  let count = 0;
  for (const { scene, first, layer } of views) {
    const found = scene.boxes.flatMap((box, i) => {
      const fit = fits[first + i]!;
      return fit < leastFit ? [] : [boxElement(data, box.box, 'asked', `${text} ${fit.toFixed(2)}`)];
    });
    count += found.length;
    layer.replaceChildren(...found);
  }
  const order = [...views].sort((a, b) => best(b) - best(a) || a.first - b.first);
  page.scenes.replaceChildren(...order.map(({ figure }) => figure));
  const likeliest = order.length === 0 ? 0 : best(order[0]!);
  page.status.textContent =
    count > 0
      ? `These words fit ${count} ${count === 1 ? 'box' : 'boxes'} at least half as well as its name; their scenes come first.`
      : `These words fit no box half as well as its name; the best reaches ${likeliest.toFixed(2)}. Its scene comes first.`;
}

function labelOf({ label, score }: PageBox, outcome: PageBox['outcome']): string {
  return `${signs[outcome]} ${label} ${score.toFixed(2)}`;
}

function boxElement(
  { side }: PageData,
  [left, top, right, bottom]: Edges,
  kind: string,
  text: string,
): HTMLElement {
  const box = document.createElement('div');
  box.className = `box ${kind}`;
  const percent = (pixels: number) => `${(100 * pixels) / side}%`;
  box.style.left = percent(left);
  box.style.top = percent(top);
  box.style.width = percent(right - left);
  box.style.height = percent(bottom - top);
  if (text === '') return box;
  const label = document.createElement('span');
  label.textContent = text;
  if (top < 0.08 * side) label.className = 'below';
  if (left > 0.5 * side) label.classList.add('leftwards');
  box.append(label);
  return box;
}

/** Intersection over union. */
function overlap(a: Edges, b: Edges): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Edges) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}

void start();
