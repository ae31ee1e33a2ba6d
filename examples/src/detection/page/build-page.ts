/**
 * From a trained model and its boxes to the page: the first test scenes, the boxes with their features, and
 * the text encoder, both in bytes. Refuses to detect anything.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inlineScript } from '../../icons/page/inline-script.js';
import { pack } from '../../icons/page/pack.js';
import { toBytes as rowsToBytes } from '../../icons/page/principal.js';
import type { PageHeader, PageScene } from '../client/page-data.js';
import type { Emoji } from '../data/emoji.js';
import type { Detection } from '../detect/detect.js';
import { outcomesOf } from '../evaluate/judge.js';
import type { TestedScene } from '../evaluate/test-scenes.js';
import type { StyleNotice } from '../results.js';
import type { Box } from '../scenes/boxes.js';
import { toBytes } from '../scenes/picture.js';
import { sceneSide } from '../scenes/scene.js';
import { featureDim } from '../train/region-model.js';
import { renderPage } from './page-html.js';

export const shownScenes = 48;
/** Boxes with a lower score are not shown: the slider begins here. */
const leastScore = 0.05;

/** From the bytes of a square picture, red, green, blue, to a WebP file. */
export type EncodePicture = (pixels: Uint8Array, side: number) => Promise<Uint8Array>;

/** What the page needs of a trained model. */
export interface PageModel {
  scale: number;
  /** Float32 [columns x 128]. */
  textWeights: Float32Array;
  /** Of all names, then "nothing", float32 [texts x 128]. */
  textFeatures: Float32Array;
}

export interface PageInputs {
  emoji: Pick<Emoji, 'concepts' | 'novel'>;
  model: PageModel;
  scenes: readonly TestedScene[];
  notices: readonly StyleNotice[];
  encodePicture: EncodePicture;
  /** The page's script; by default that of the compiled `client/`. */
  script?: string;
}

export async function buildPage(inputs: PageInputs): Promise<{ html: string; scenes: number }> {
  const { emoji, model, notices } = inputs;
  const shown = inputs.scenes.slice(0, shownScenes);
  const kept = shown.map(({ found }) => found.map((box) => (box.labels[0]?.score ?? 0) >= leastScore));
  const scenes: PageScene[] = [];
  for (const [i, scene] of shown.entries()) scenes.push(await pageScene(inputs, scene, kept[i]!));
  const boxes = shown.flatMap(({ found }, i) => found.filter((_, b) => kept[i]![b]));
  const features = new Float32Array(boxes.length * featureDim);
  for (const [i, { feature }] of boxes.entries()) features.set(feature, i * featureDim);
  const rows = (data: Float32Array) =>
    rowsToBytes({ rows: data.length / featureDim, columns: featureDim, data });
  const header: PageHeader = {
    side: sceneSide,
    dim: featureDim,
    columns: model.textWeights.length / featureDim,
    scale: model.scale,
    scenes,
    names: emoji.concepts.map(({ label }) => label),
  };
  const data = pack(header, rows(model.textWeights), rows(features));
  const script = inputs.script ?? pageScript();
  return {
    html: renderPage({ script, data, notices, startScore: startScoreOf(scenes) }),
    scenes: shown.length,
  };
}

/** Where there are about as many boxes as things, but at most one half: a model of few steps is sure of nothing. */
function startScoreOf(scenes: readonly PageScene[]): number {
  const things = scenes.reduce((sum, scene) => sum + scene.things.length, 0);
  const scores = scenes.flatMap(({ boxes }) => boxes.map(({ score }) => score)).sort((a, b) => b - a);
  return Math.max(leastScore, Math.min(0.5, scores[things - 1] ?? leastScore));
}

async function pageScene(
  { emoji: { concepts, novel }, model, encodePicture }: PageInputs,
  scene: TestedScene,
  kept: readonly boolean[],
): Promise<PageScene> {
  const outcomes = outcomesOf(scene);
  const image = await encodePicture(toBytes(scene.picture), sceneSide);
  return {
    image: Buffer.from(image).toString('base64'),
    things: scene.things.map(({ concept, box }) => ({
      label: concepts[concept]!.label,
      novel: novel[concept] === 1,
      box: edges(box),
    })),
    boxes: scene.found.flatMap((found, i) => {
      const [best] = found.labels;
      if (!kept[i] || best === undefined) return [];
      return [
        {
          box: edges(found.box),
          label: concepts[best.concept]!.label,
          score: Number(best.score.toFixed(4)),
          outcome: outcomes[i]!,
          logSum: Number(logSumOf(model, found).toFixed(4)),
        },
      ];
    }),
  };
}

function edges({ left, top, right, bottom }: Box): [number, number, number, number] {
  const short = (value: number) => Number(value.toFixed(2));
  return [short(left), short(top), short(right), short(bottom)];
}

/** log Σ exp(scale · name · box) over all names and "nothing". */
function logSumOf({ scale, textFeatures }: PageModel, { feature }: Pick<Detection, 'feature'>): number {
  const logits: number[] = [];
  for (let first = 0; first < textFeatures.length; first += featureDim) {
    let product = 0;
    for (let d = 0; d < featureDim; d++) product += textFeatures[first + d]! * feature[d]!;
    logits.push(scale * product);
  }
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/** The icon demo's way from text to features is this page's as well. */
const scriptFiles = [
  ...['text-tokens.js', 'text-encoder.js', 'packed-block.js'].map((name) => `../../icons/client/${name}`),
  ...['page-data.js', 'query.js', 'page.js'],
];

/** @param read From the name of a compiled file, relative to `client/`, to its text. */
export function pageScript(read: (name: string) => string = readCompiled): string {
  return inlineScript(read, scriptFiles);
}

function readCompiled(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../client/${name}`, import.meta.url)), 'utf8');
}
