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

/** The square picture at another side, by bilinear interpolation. */
export function resized({ width, height, data }: Picture, side: number): Picture {
  // locals, because globals are slow to look up under Jest
  const { floor, max, min } = Math;
  const result = blank(side, side);
  const columns = places(width, side);
  const rows = places(height, side);
  for (let y = 0; y < side; y++) {
    const sourceY = rows[y]!;
    const top = floor(sourceY);
    const down = sourceY - top;
    const upper = top * width;
    const lower = min(height - 1, top + 1) * width;
    for (let x = 0; x < side; x++) {
      const sourceX = columns[x]!;
      const left = floor(sourceX);
      const across = sourceX - left;
      const right = min(width - 1, left + 1);
      const to = (y * side + x) * 3;
      for (let c = 0; c < 3; c++) {
        const above = data[(upper + left) * 3 + c]! * (1 - across) + data[(upper + right) * 3 + c]! * across;
        const below = data[(lower + left) * 3 + c]! * (1 - across) + data[(lower + right) * 3 + c]! * across;
        result.data[to + c] = above * (1 - down) + below * down;
      }
    }
  }
  return result;

  /** The place in the source of each pixel's centre, within the picture. */
  function places(from: number, to: number): Float64Array {
    return Float64Array.from({ length: to }, (_, i) =>
      max(0, min(from - 1, ((i + 0.5) * from) / to - 0.5)),
    );
  }
}

/** Bytes of a picture, red, green, blue, for a file. */
export function toBytes({ data }: Picture): Uint8Array {
  return Uint8Array.from(data, (value) => Math.round(255 * Math.max(0, Math.min(1, value))));
}
