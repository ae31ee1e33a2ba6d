/**
 * The page's behaviour: type a word, see the nearest icons; choose an icon, see the nearest words. Writes text as
 * text and icons as masks, so that nothing in the data can run. Refuses to fetch anything.
 */

import { unpack } from './page-data.js';
import { type Found, IconSearch } from './search.js';
import { wordsOf } from './text-tokens.js';

const shownIcons = 60;
const shownWords = 12;

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const page = {
  input: element<HTMLInputElement>('query'),
  unseen: element<HTMLInputElement>('unseen'),
  status: element('status'),
  results: element('results'),
  examples: element('examples'),
  detail: element('detail'),
  picture: element('picture'),
  name: element('name'),
  source: element('source'),
  words: element('words'),
  close: element('close'),
};

/** The icon that the detail shows: the focus goes back there. */
let opener: HTMLElement | undefined;

async function start(): Promise<void> {
  page.status.textContent = 'Unpacking the icons …';
  let search: IconSearch;
  try {
    search = new IconSearch(await unpack(element('data').textContent ?? ''));
  } catch (error) {
    page.status.textContent = `This browser cannot unpack the icons (it needs DecompressionStream): ${String(error)}`;
    return;
  }
  page.input.addEventListener('input', () => answer(search));
  page.unseen.addEventListener('change', () => answer(search));
  page.close.addEventListener('click', closeDetail);
  page.examples.addEventListener('click', ({ target }) => {
    if (target instanceof HTMLButtonElement) ask(search, target.textContent ?? '');
  });
  document.addEventListener('keydown', onKey);
  answer(search);
}

function ask(search: IconSearch, text: string): void {
  page.input.value = text;
  closeDetail();
  answer(search);
  page.input.focus();
}

function answer(search: IconSearch): void {
  const text = page.input.value;
  const { unseenOnly, count } = scopeOf(search);
  page.results.replaceChildren();
  page.examples.hidden = wordsOf(text).length > 0;
  if (wordsOf(text).length === 0) {
    const icons = count.toLocaleString('en');
    const hint = text.trim() === '' ? 'Type a word' : 'Type letters or digits';
    page.status.textContent = `${hint} to search ${icons} icons.`;
    return;
  }
  const feature = search.encode(text);
  if (feature === undefined) {
    page.status.textContent = 'No part of this text occurred in training, so no icon is nearer than another.';
    return;
  }
  const found = search.icons(feature, shownIcons, unseenOnly);
  page.status.textContent = `The ${found.length} nearest of ${count.toLocaleString('en')} icons.`;
  page.results.replaceChildren(...found.map((icon) => resultOf(search, icon)));
}

function scopeOf({ data }: IconSearch): { unseenOnly: boolean; count: number } {
  const unseenOnly = page.unseen.checked;
  const inScope = data.icons.set.filter((set) => !unseenOnly || data.sets[set]!.unseen);
  return { unseenOnly, count: inScope.length };
}

function resultOf(search: IconSearch, { index }: Found): HTMLElement {
  const { icons, sets } = search.data;
  const item = document.createElement('li');
  const button = document.createElement('button');
  const label = document.createElement('span');
  const title = sets[icons.set[index]!]!.title;
  label.textContent = icons.caption[index]!;
  button.type = 'button';
  button.title = `${icons.name[index]} · ${title}`;
  button.append(drawn(search, index), label);
  button.addEventListener('click', () => openDetail(search, index, button));
  item.append(button);
  return item;
}

/** An icon as a mask over the colour of the text: an image runs no script, and follows light and dark. */
function drawn({ data: { icons } }: IconSearch, index: number): HTMLElement {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${icons.box[index]}">${icons.body[index]}</svg>`;
  const url = `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
  const icon = document.createElement('span');
  icon.className = 'icon';
  icon.setAttribute('aria-hidden', 'true');
  icon.style.setProperty('-webkit-mask-image', url);
  icon.style.setProperty('mask-image', url);
  return icon;
}

function openDetail(search: IconSearch, index: number, button: HTMLElement): void {
  const { icons, sets, words } = search.data;
  const set = sets[icons.set[index]!]!;
  opener = button;
  page.picture.replaceChildren(drawn(search, index));
  page.name.textContent = icons.name[index]!;
  page.source.textContent = set.unseen ? `${set.title}, never seen in training` : set.title;
  const found = search.wordsOf(index, shownWords);
  page.words.replaceChildren(
    ...found.map(({ index: word, score }) => {
      const item = document.createElement('li');
      const choice = document.createElement('button');
      const bar = document.createElement('span');
      choice.type = 'button';
      choice.textContent = words[word]!;
      choice.addEventListener('click', () => ask(search, words[word]!));
      bar.className = 'bar';
      bar.style.setProperty('--share', String(Math.max(0, Math.min(1, score))));
      item.append(choice, bar);
      return item;
    }),
  );
  page.detail.hidden = false;
  for (const open of page.results.querySelectorAll('[aria-pressed]')) open.removeAttribute('aria-pressed');
  button.setAttribute('aria-pressed', 'true');
}

function closeDetail(): void {
  if (page.detail.hidden) return;
  page.detail.hidden = true;
  opener?.removeAttribute('aria-pressed');
  if (opener?.isConnected) opener.focus();
}

/** "/" goes to the input, Escape closes the detail, arrows move among the icons. */
function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') closeDetail();
  if (event.key === '/' && document.activeElement !== page.input) {
    event.preventDefault();
    page.input.focus();
  }
  const icons = [...page.results.querySelectorAll('button')];
  const at = icons.indexOf(document.activeElement as HTMLButtonElement);
  if (event.key === 'ArrowDown' && document.activeElement === page.input && icons.length > 0) {
    event.preventDefault();
    icons[0]!.focus();
  }
  const next = at < 0 ? undefined : icons[at + stepOf(event.key, icons)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

/** How many icons further a key goes; NaN for other keys. */
function stepOf(key: string, icons: readonly HTMLElement[]): number {
  const perRow = icons.filter(({ offsetTop }) => offsetTop === icons[0]!.offsetTop).length;
  return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow }[key] ?? Number.NaN;
}

void start();
