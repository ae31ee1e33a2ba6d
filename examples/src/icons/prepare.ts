/**
 * From pictures and captions to what training and judging need: features, centring, questions. Refuses to hold
 * anything that depends on a model.
 */

import { breathe } from '../breathe.js';
import type { Collection } from './data/collection.js';
import { imagePixels } from './data/render.js';
import type { Features } from './evaluate/features.js';
import { type IconTask, makeTask } from './evaluate/task.js';
import { imageFeatures, type Shift } from './features/hog.js';
import {
  type Centring,
  centredRows,
  centringOf,
  type ImageMatrix,
  imageMatrix,
} from './features/image-matrix.js';
import { textMatrix } from './features/text-matrix.js';
import type { TrainingData } from './train/icon-batches.js';

export interface Prepared extends TrainingData {
  collection: Collection;
  /** Features of the unseen set, under no shift. */
  unseen: ImageMatrix;
  task: IconTask;
}

/** @param shifts The first one is no shift. */
export async function prepare(collection: Collection, shifts: readonly Shift[]): Promise<Prepared> {
  const { ink, train, unseen, captions, captionOf } = collection;
  const images: ImageMatrix[] = [];
  for (const shift of shifts) images.push(await imageMatrix(ink, train, shift));
  return {
    collection,
    images,
    centring: centringOf(images[0]!),
    texts: textMatrix(captions),
    captionOf,
    unseen: await imageMatrix(ink, unseen, shifts[0]!),
    task: makeTask(collection),
  };
}

/**
 * The class of each training icon in the task: the row of the task's captions, or -1 where the unseen set lacks the
 * caption.
 */
export function classesOf({ task, captionOf, collection }: Prepared): Int32Array {
  const places = new Map(task.captions.map((caption, place) => [caption, place]));
  return captionOf.map((caption) => places.get(collection.captions[caption]!) ?? -1);
}

/** Centred features of length 1, for neighbours by cosine. @param rows Row numbers of the matrix. */
export async function unitFeatures(
  matrix: ImageMatrix,
  rows: Int32Array,
  centring: Centring,
): Promise<Features> {
  await breathe();
  const data = centredRows(matrix, rows, centring);
  return unitRows(data, imageFeatures);
}

/** Pixels less their mean over the training icons, of length 1. @param icons Numbers of icons. */
export async function unitPixels({ ink, train }: Collection, icons: Int32Array): Promise<Features> {
  await breathe();
  const sums = new Float64Array(imagePixels);
  for (const icon of train) {
    for (let i = 0; i < imagePixels; i++) sums[i]! += ink[icon * imagePixels + i]!;
  }
  const data = new Float32Array(icons.length * imagePixels);
  icons.forEach((icon, row) => {
    for (let i = 0; i < imagePixels; i++)
      data[row * imagePixels + i] = ink[icon * imagePixels + i]! - sums[i]! / train.length;
  });
  return unitRows(data, imagePixels);
}

function unitRows(data: Float32Array, dim: number): Features {
  for (let first = 0; first < data.length; first += dim) {
    let square = 0;
    for (let d = first; d < first + dim; d++) square += data[d]! * data[d]!;
    const length = Math.sqrt(square) || 1;
    for (let d = first; d < first + dim; d++) data[d]! /= length;
  }
  return { data, shape: [data.length / dim, dim] };
}
