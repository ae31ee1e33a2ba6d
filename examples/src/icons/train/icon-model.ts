/**
 * The model of the icons: an image tower, a text tower and the state of their training, and one training step through
 * `chunkedStep`. A step that fails or is aborted leaves all of it as it was.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepResult } from 'infcl';
import type { RunSettings } from '../../saved/same-settings.js';
import type { History, Trainable } from '../../train/loop.js';
import { ModelState, type StepOptions } from '../../train/model-state.js';
import { imageFeatures } from '../features/hog.js';
import type { IconBatch } from './icon-batches.js';
import { type ImageSide, initialImageWeights, makeImageSide } from './image-side.js';
import { initialTextWeights, makeTextSide, type TextSide } from './text-side.js';

/** Numbers of an icon's and of a text's feature. */
export const featureDim = 256;
const hiddenWidth = 512;
/** A column of the text matrix is in few captions, so it needs a larger rate than a layer that all icons pass. */
const textRateFactor = 10;
const scaleRateFactor = 5;

export class IconModel implements Trainable {
  readonly image: ImageSide;
  readonly text: TextSide;
  private readonly state: ModelState;

  /** @param used 1 for each column of the text's features that a training caption has. */
  constructor(used: Uint8Array, seed: number) {
    const widths = [imageFeatures, hiddenWidth, hiddenWidth, featureDim];
    this.image = makeImageSide(widths, initialImageWeights(widths, seed));
    this.text = makeTextSide(initialTextWeights(used, featureDim, seed), featureDim);
    this.state = new ModelState({ text: this.text.weights, ...this.image.weights });
  }

  get scale(): number {
    return this.state.scale;
  }

  async step({ rows, images, texts }: IconBatch, options: StepOptions): Promise<StepResult> {
    const { image, text, scale } = this;
    const { learningRate, threads, signal, onProgress } = options;
    let result: StepResult;
    try {
      result = await chunkedStep({
        queries: { encoder: image.encoder, chunks: () => images, rows },
        keys: { encoder: text.encoder, chunks: () => texts, rows },
        loss: { objective: 'clip', logitScale: scale, threads },
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

/** Bytes of a checkpoint: the weights, and the optimiser's two arrays beside each. */
export function checkpointBytes(columns: number): number {
  const matrices = imageFeatures * hiddenWidth + hiddenWidth * hiddenWidth + hiddenWidth * featureDim;
  return 3 * 4 * (columns * featureDim + matrices + 2 * hiddenWidth + featureDim);
}
