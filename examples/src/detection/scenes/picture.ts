/** Pictures in three colours, and their change of size. Refuses opacity: a scene has a ground. */

/** Float32 [height x width x 3], red, green, blue, from 0 to 1. */
export interface Picture {
  width: number;
  height: number;
  data: Float32Array;
}

export const blank = (width: number, height: number): Picture => ({
  width,
  height,
  data: new Float32Array(width * height * 3),
});

/** The square picture at another side, by bilinear interpolation: first along rows, then between rows. */
export function resized({ width, height, data }: Picture, side: number): Picture {
  const result = blank(side, side);
  const columns = neighbours(width, side);
  const rows = neighbours(height, side);
  const line = side * 3;
  const wide = new Float32Array(height * line);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < side; x++) {
      const left = (y * width + columns.first[x]!) * 3;
      const right = (y * width + columns.second[x]!) * 3;
      const part = columns.part[x]!;
      const to = y * line + x * 3;
      for (let c = 0; c < 3; c++) wide[to + c] = data[left + c]! * (1 - part) + data[right + c]! * part;
    }
  }
  for (let y = 0; y < side; y++) {
    const upper = rows.first[y]! * line;
    const lower = rows.second[y]! * line;
    const part = rows.part[y]!;
    for (let i = 0; i < line; i++)
      result.data[y * line + i] = wide[upper + i]! * (1 - part) + wide[lower + i]! * part;
  }
  return result;
}

/**
 * For each pixel of the result, the two pixels of the source around its centre, and how much the second
 * counts.
 */
function neighbours(from: number, to: number): { first: Int32Array; second: Int32Array; part: Float32Array } {
  const places = Float64Array.from({ length: to }, (_, i) =>
    Math.max(0, Math.min(from - 1, ((i + 0.5) * from) / to - 0.5)),
  );
  const first = Int32Array.from(places, Math.floor);
  return {
    first,
    second: first.map((place) => Math.min(from - 1, place + 1)),
    part: Float32Array.from(places, (place, i) => place - first[i]!),
  };
}

/** Bytes of a picture, red, green, blue, for a file. */
export function toBytes({ data }: Picture): Uint8Array {
  return Uint8Array.from(data, (value) => Math.round(255 * Math.max(0, Math.min(1, value))));
}
