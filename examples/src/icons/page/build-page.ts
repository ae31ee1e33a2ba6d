/**
 * From a trained model to the page: the gallery, the text encoder in 128 bytes a column, and the words to compare
 * icons with. Also tells how good the model is in this small form. Refuses a page above the limit: it shows fewer
 * icons instead.
 */

import type { SparseMatrix } from '../../features/hashing.js';
import type { Collection } from '../data/collection.js';
import { type Features, imageFeaturesOf, someRows, textFeaturesOf } from '../evaluate/features.js';
import { judgeFeatures, type Scores } from '../evaluate/judge-features.js';
import type { IconTask } from '../evaluate/task.js';
import type { Shift } from '../features/hog.js';
import { type Centring, imageMatrix } from '../features/image-matrix.js';
import { featureDim, type IconModel } from '../train/icon-model.js';
import { encodeTexts } from '../train/text-side.js';
import { galleryOf, mostGalleryIcons } from './gallery.js';
import { inlineScript } from './inline-script.js';
import { pack } from './pack.js';
import { renderPage } from './page-html.js';
import { type ByteRows, fromBytes, principalDirections, projectRows, toBytes } from './principal.js';

/** Numbers of a feature in the page: half of the model's, which costs some two points of accuracy. */
const pageDim = 128;
const mostPageBytes = 9_000_000;
const mostWords = 8000;

export interface PageInputs {
  collection: Collection;
  task: IconTask;
  model: IconModel;
  centring: Centring;
  /** Features of {@link Collection.captions}. */
  captionTexts: SparseMatrix;
  /** Names of sets to show beside the unseen one. */
  shown: readonly string[];
  /** Trained features of the unseen set. */
  unseen: Features;
  /** The page's script; by default that of the compiled `client/`. */
  script?: string;
  signal?: AbortSignal;
}

export interface BuiltPage {
  html: string;
  icons: number;
  /** The model as the page has it. */
  scores: Scores;
}

const noShift: Shift = [0, 0];

export async function buildPage(inputs: PageInputs): Promise<BuiltPage> {
  const { collection, task, model, centring, captionTexts, unseen, signal } = inputs;
  const gallery = galleryOf(collection, mostGalleryIcons, inputs.shown);
  const pictures = await imageMatrix(collection.ink, gallery, noShift, signal);
  const images = await imageFeaturesOf(model, pictures, centring, signal);
  const quarter = Int32Array.from({ length: Math.ceil(captionTexts.rows / 4) }, (_, i) => 4 * i);
  const captions = someRows(textFeaturesOf(model, captionTexts), quarter);
  const directions = await principalDirections([captions, images], pageDim, signal);
  const weights: Features = {
    data: model.text.weights,
    shape: [model.text.weights.length / featureDim, featureDim],
  };
  const text = toBytes(await projectRows(weights, directions, signal));
  const icons = toBytes(await projectRows(images, directions, signal));
  const scores = await judgeFeatures(
    task,
    fromBytes(toBytes(await projectRows(unseen, directions, signal))),
    { data: encodeTexts(fromBytes(text).data, task.texts, text.dim), shape: [task.texts.rows, text.dim] },
    signal,
  );
  const script = inputs.script ?? inlineScript();
  for (let shown = gallery.length; ; shown = Math.floor(0.9 * shown)) {
    const html = renderWith(collection, {
      gallery: gallery.subarray(0, shown),
      text,
      icons: firstRows(icons, shown),
      script,
    });
    if (Buffer.byteLength(html) <= mostPageBytes || shown <= 1) return { html, icons: shown, scores };
  }
}

function renderWith(
  { icons: all, sets, unseen, captions, captionOf }: Collection,
  parts: { gallery: Int32Array; text: ByteRows; icons: ByteRows; script: string },
): string {
  const { gallery, text, icons, script } = parts;
  const unseenSet = unseen.length > 0 ? all[unseen[0]!]!.set : -1;
  const list = Array.from(gallery, (number) => all[number]!);
  const shown = [...new Set(list.map(({ set }) => set))];
  const header = {
    dim: text.dim,
    columns: text.rows,
    sets: shown.map((set) => ({ title: sets[set]!.title, unseen: set === unseenSet })),
    icons: {
      set: list.map(({ set }) => shown.indexOf(set)),
      name: list.map(({ name }) => name),
      caption: list.map(({ caption }) => caption),
      box: list.map(({ box }) => box.join(' ')),
      body: list.map(({ body }) => body),
    },
    words: commonWords(captions, captionOf),
  };
  const notices = shown.map((set) => ({ ...sets[set]!, unseen: set === unseenSet }));
  return renderPage({ script, data: pack(header, text, icons), notices });
}

/** Captions of at least two training icons, the commonest first; all captions where there are few. */
function commonWords(captions: readonly string[], captionOf: Int32Array): string[] {
  const counts = new Int32Array(captions.length);
  for (const caption of captionOf) counts[caption]!++;
  const common = captions.filter((_, i) => counts[i]! >= 2);
  return (common.length > 0 ? common : captions).slice(0, mostWords);
}

function firstRows({ dim, values, scales }: ByteRows, rows: number): ByteRows {
  return { rows, dim, values: values.subarray(0, rows * dim), scales: scales.subarray(0, rows) };
}
