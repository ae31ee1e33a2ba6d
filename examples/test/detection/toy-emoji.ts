/**
 * Made-up emoji for tests: discs, squares, crosses and rings in some colours, drawn in four "styles" that
 * differ in size and outline. Refuses to say anything about precision on real drawings.
 */

import { type Emoji, emojiSide, type Style, styleOf } from '../../src/detection/data/emoji.js';

const shapes = ['disc', 'square', 'cross', 'ring'] as const;
const colours = { red: [230, 30, 40], green: [30, 180, 60], blue: [40, 70, 220] } as const;

const figures = shapes.flatMap((shape) =>
  (Object.keys(colours) as (keyof typeof colours)[]).map((colour) => ({ shape, colour })),
);

/** Whether a point, from -1 to 1 in both directions, belongs to the shape. */
const inside: Record<(typeof shapes)[number], (x: number, y: number) => boolean> = {
  disc: (x, y) => x * x + y * y < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.9,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.3 && Math.max(Math.abs(x), Math.abs(y)) < 1,
  ring: (x, y) => x * x + y * y < 1 && x * x + y * y > 0.35,
};

/** @param radius Half of the side of the drawing, in pixels. @param dark How much darker its rim is. */
function toyStyle(name: string, radius: number, dark: number, lacks: readonly number[] = []): Style {
  const bytes = emojiSide * emojiSide * 4;
  const pixels = new Uint8Array(figures.length * bytes);
  for (const [row, { shape, colour }] of figures.entries()) {
    for (let y = 0; y < emojiSide; y++) {
      for (let x = 0; x < emojiSide; x++) {
        const [px, py] = [(x + 0.5 - 32) / radius, (y + 0.5 - 32) / radius];
        if (!inside[shape](px, py)) continue;
        const shade = Math.hypot(px, py) > 0.75 ? 1 - dark : 1;
        const at = row * bytes + (y * emojiSide + x) * 4;
        pixels.set([...colours[colour].map((value) => Math.round(shade * value)), 255], at);
      }
    }
  }
  const about = { name, title: `Toy ${name}`, author: 'nobody', licence: 'MIT', version: '1.0.0' };
  const rows = Int32Array.from(figures, (_, i) => (lacks.includes(i) ? -1 : i));
  return styleOf({ ...about, icons: [] }, rows, pixels);
}

/** Twelve concepts; number 5 is novel, and number 3 lacks a drawing in one style. */
export const toyEmoji: Emoji = {
  concepts: figures.map(({ shape, colour }, i) => ({
    code: `1f${i}`,
    label: `${colour} ${shape}`,
    tags: [colour, shape],
  })),
  novel: Uint8Array.from(figures, (_, i) => (i === 5 ? 1 : 0)),
  training: [toyStyle('plain', 28, 0), toyStyle('rimmed', 24, 0.5), toyStyle('small', 20, 0.3, [3])],
  unseen: toyStyle('unseen', 26, 0.2),
};
