// Strokes to ink: the same numbers as mnistedu.strokes.rasterize gives.

export const SIZE = 280; // width and height of the canvas
export const WIDTH = 20; // of the pen

/** Draw strokes, each a list of points [x, y], into new ink of 280 × 280. */
export function rasterize(strokes) {
  const ink = new Float32Array(SIZE * SIZE);
  for (const stroke of strokes) {
    stroke.forEach((point, i) => addLine(ink, stroke[Math.max(i - 1, 0)], point));
  }
  return ink;
}

/** Add one straight line to ink, in place. */
export function addLine(ink, [x0, y0], [x1, y1]) {
  const reach = WIDTH / 2 + 1; // pixels further away stay as they are
  const clip = (position) => Math.min(Math.max(Math.floor(position), 0), SIZE);
  const left = clip(Math.min(x0, x1) - reach);
  const right = clip(Math.max(x0, x1) + reach);
  const bottom = clip(Math.max(y0, y1) + reach);
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = Math.max(dx * dx + dy * dy, 1e-9);
  for (let row = clip(Math.min(y0, y1) - reach); row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const nearest = Math.min(Math.max((x * dx + y * dy) / length, 0), 1);
      const distance = Math.hypot(x - nearest * dx, y - nearest * dy);
      const cover = Math.min(Math.max(WIDTH / 2 + 0.5 - distance, 0), 1);
      const place = row * SIZE + column;
      if (cover > ink[place]) ink[place] = cover;
    }
  }
}
