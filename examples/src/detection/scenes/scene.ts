/**
 * Scenes to detect in: three to six emoji on a texture, and the box of each. A pure function of its random
 * numbers. Refuses things that hide each other.
 */

import type { Random } from '../../random.js';
import { type Emoji, pictureOf, type Style } from '../data/emoji.js';
import { type Box, containment } from './boxes.js';
import { plainLook, variedLook } from './look.js';
import type { Picture } from './picture.js';
import { makeSprite, paste } from './sprite.js';
import { texture } from './texture.js';

export const sceneSide = 128;
const fewestThings = 3;
const mostThings = 6;
/** Of the longer side of a drawing, in pixels. */
const smallest = 22;
const largest = 62;
/** Of the smaller of two boxes. */
const largestOverlap = 0.05;
const mostTries = 40;

export interface Thing {
  concept: number;
  box: Box;
}

export interface Scene {
  picture: Picture;
  things: Thing[];
}

/** Where the things of a scene come from. */
export interface SceneSource {
  styles: readonly Style[];
  /** Numbers of concepts that may occur; each has a drawing in one of the styles. */
  concepts: Int32Array;
  /** Whether drawings vary, as for training. */
  varied: boolean;
}

export function trainingSource({ concepts, novel, training }: Emoji): SceneSource {
  const base = Int32Array.from(concepts.keys()).filter((concept) => novel[concept] === 0);
  return { styles: training, concepts: base, varied: true };
}

export function unseenSource({ concepts, unseen }: Emoji): SceneSource {
  return { styles: [unseen], concepts: Int32Array.from(concepts.keys()), varied: false };
}

/** New scenes of the styles that training knows, with novel concepts too. */
export function seenSource({ concepts, training }: Emoji): SceneSource {
  return { styles: training, concepts: Int32Array.from(concepts.keys()), varied: false };
}

/** Scenes one after the other. Every concept occurs once before any occurs again. */
export class SceneMaker {
  private queue: number[] = [];

  constructor(
    private readonly source: SceneSource,
    private readonly random: Random,
  ) {}

  next(): Scene {
    const { random } = this;
    const picture = texture(sceneSide, random);
    const things: Thing[] = [];
    const wanted = fewestThings + Math.floor((mostThings - fewestThings + 1) * random.uniform());
    for (let i = 0; i < wanted; i++) {
      const concept = this.nextConcept();
      const box = this.place(picture, concept, things);
      if (box !== undefined) things.push({ concept, box });
      // a concept that found no room comes first in the next scene
      else this.queue.push(concept);
    }
    return { picture, things };
  }

  private nextConcept(): number {
    const { concepts } = this.source;
    if (this.queue.length === 0)
      this.queue = Array.from(this.random.permutation(concepts.length), (i) => concepts[i]!);
    return this.queue.pop()!;
  }

  private place(picture: Picture, concept: number, things: readonly Thing[]): Box | undefined {
    const { random, source } = this;
    const longer = smallest * (largest / smallest) ** random.uniform();
    const look = source.varied ? variedLook(longer, random) : plainLook(longer);
    const drawing = oneDrawing(source.styles, concept, random);
    const sprite = makeSprite(drawing, look);
    const { left, top, right, bottom } = sprite.box;
    for (let attempt = 0; attempt < mostTries; attempt++) {
      const x = Math.floor(random.uniform() * (sceneSide - (right - left) + 1)) - left;
      const y = Math.floor(random.uniform() * (sceneSide - (bottom - top) + 1)) - top;
      const box = { left: x + left, top: y + top, right: x + right, bottom: y + bottom };
      if (things.some((other) => containment(other.box, box) > largestOverlap)) continue;
      paste(picture, sprite, x, y);
      return box;
    }
    return undefined;
  }
}

/** A drawing of the concept in one of the styles that have it. */
export function oneDrawing(styles: readonly Style[], concept: number, random: Random): Uint8Array {
  const able = styles.filter(({ rowOf }) => rowOf[concept]! >= 0);
  return pictureOf(able[Math.floor(random.uniform() * able.length)]!, concept);
}
