/**
 * An image tower and a text tower, and the state of their training: one update after a step, checkpoints, the end.
 * A step that fails or is aborted leaves all of it as it was.
 *
 * Refuses to know which rows a step compares; a model of a demo does.
 */

import type { StepResult } from 'infcl';
import type { RunSettings } from '../../saved/same-settings.js';
import type { History } from '../../train/loop.js';
import { ModelState } from '../../train/model-state.js';
import type { ImageSide } from './image-side.js';
import type { TextSide } from './text-side.js';

const hiddenWidth = 512;
/** A column of the text matrix is in few texts, so it needs a larger rate than a layer that all images pass. */
const textRateFactor = 10;
const scaleRateFactor = 5;

/** Widths of the image tower, from its inputs to its features. */
export const imageWidths = (inputs: number, featureDim: number) => [
  inputs,
  hiddenWidth,
  hiddenWidth,
  featureDim,
];

export abstract class TwoTowers {
  private readonly state: ModelState;

  /** @param scale Where 1 / temperature begins. */
  constructor(
    readonly image: ImageSide,
    readonly text: TextSide,
    scale?: number,
  ) {
    this.state = new ModelState({ text: text.weights, ...image.weights }, scale);
  }

  /** 1 / temperature. */
  get scale(): number {
    return this.state.scale;
  }

  /** Takes the gradients that `step` leaves in the towers, and changes the weights by them. */
  protected async learn(learningRate: number, step: () => Promise<StepResult>): Promise<StepResult> {
    const { image, text } = this;
    let result: StepResult;
    try {
      result = await step();
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
export function bytesOfCheckpoint(inputs: number, columns: number, featureDim: number): number {
  const matrices = inputs * hiddenWidth + hiddenWidth * hiddenWidth + hiddenWidth * featureDim;
  return 3 * 4 * (columns * featureDim + matrices + 2 * hiddenWidth + featureDim);
}
