/**
 * The model of the detection demo: a tower for regions, a tower for texts, the state of their training, and
 * one step through `chunkedStep`. Regions are queries, all texts are keys, `labels` say which text a region
 * shows. A step that fails or is aborted leaves all of it as it was.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepResult } from 'infcl';
import { type PaddedRows, padRows, type SparseMatrix } from '../../features/hashing.js';
import { columnsInUse } from '../../icons/features/text-matrix.js';
import { type ImageSide, initialImageWeights, makeImageSide } from '../../icons/train/image-side.js';
import { encodeTexts, initialTextWeights, makeTextSide, type TextSide } from '../../icons/train/text-side.js';
import type { RunSettings } from '../../saved/same-settings.js';
import type { History, Trainable } from '../../train/loop.js';
import { ModelState, type StepOptions } from '../../train/model-state.js';
import { windowFeatures } from '../features/windows.js';
import type { RegionBatch } from './region-batches.js';

/** Numbers of a region's and of a text's feature. */
export const featureDim = 128;
const hiddenWidth = 512;
const widths = [windowFeatures, hiddenWidth, hiddenWidth, featureDim];
/**
 * A column of the text matrix is in few texts, so it needs a larger rate than a layer that all regions pass.
 */
const textRateFactor = 10;
const scaleRateFactor = 5;

export class RegionModel implements Trainable {
  readonly image: ImageSide;
  readonly text: TextSide;
  private readonly state: ModelState;
  private readonly keys: PaddedRows;

  /**
   * @param texts All texts that regions are compared with.
   * @param start Weights and scale to go on from; the optimiser begins anew.
   */
  constructor(
    readonly texts: SparseMatrix,
    private readonly seed: number,
    start?: RegionModel,
  ) {
    this.image = makeImageSide(
      widths,
      start ? copied(start.image.weights) : initialImageWeights(widths, seed),
    );
    const text = start?.text.weights.slice() ?? initialTextWeights(columnsInUse(texts), featureDim, seed);
    this.text = makeTextSide(text, featureDim);
    this.state = new ModelState({ text: this.text.weights, ...this.image.weights }, start?.scale);
    this.keys = padRows(
      texts,
      Int32Array.from({ length: texts.rows }, (_, i) => i),
    );
  }

  /** A model with these weights whose optimiser begins anew. */
  successor(): RegionModel {
    return new RegionModel(this.texts, this.seed, this);
  }

  get scale(): number {
    return this.state.scale;
  }

  /** Features of all texts, float32 [texts x 128]. */
  textFeatures(): Float32Array {
    return encodeTexts(this.text.weights, this.texts, featureDim);
  }

  async step({ rows, images, labels }: RegionBatch, options: StepOptions): Promise<StepResult> {
    const { image, text, scale, keys } = this;
    const { learningRate, threads, signal, onProgress } = options;
    let result: StepResult;
    try {
      result = await chunkedStep({
        queries: { encoder: image.encoder, chunks: () => images, rows },
        keys: { encoder: text.encoder, chunks: () => [keys], rows: keys.rows },
        loss: { objective: 'infonce', labels, logitScale: scale, threads },
        signal,
        onProgress,
      });
    } catch (error) {
      image.discardGradients();
      text.discardGradients();
      throw error;
    }
    const gradients = [text.takeGradients(), ...(await image.takeGradients())];
    this.state.update(gradients, {
      rates: gradients.map((_, i) => (i === 0 ? textRateFactor * learningRate : learningRate)),
      scaleRate: scaleRateFactor * learningRate,
      logitScaleGrad: result.logitScaleGrad,
    });
    image.upload();
    return result;
  }

  firstNotFinite(): string | undefined {
    return this.state.firstNotFinite();
  }

  save(path: string, run: { step: number; config: RunSettings; history: History }): void {
    // batches are a function of seed and step, so no encoder has a random state
    this.state.save(path, { ...run, randomStates: [] });
  }

  restore(path: string, run: { config: RunSettings; steps: number }): { step: number; history: History } {
    const { step, history } = this.state.restore(path, { ...run, encoders: 0 });
    this.image.upload();
    return { step, history };
  }

  dispose(): void {
    this.image.dispose();
  }
}

function copied(weights: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, array.slice()]));
}

/** Bytes of a checkpoint: the weights, and the optimiser's two arrays beside each. */
export function checkpointBytes(columns: number): number {
  const matrices = windowFeatures * hiddenWidth + hiddenWidth * hiddenWidth + hiddenWidth * featureDim;
  return 3 * 4 * (columns * featureDim + matrices + 2 * hiddenWidth + featureDim);
}
