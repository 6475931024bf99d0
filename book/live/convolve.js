// A kernel that slides over an image, as the chapter on convolution has it.

export const WIDTH = 3; // of a kernel, and so of the window

/** The nine numbers of an image, { values, side }, under the window, row by row. */
export function under({ values, side }, row, column) {
  return Array.from({ length: WIDTH * WIDTH }, (_, n) => {
    const [u, v] = [Math.floor(n / WIDTH), n % WIDTH];
    return values[(row + u) * side + column + v];
  });
}

/** An image with a rim of 0 around it, so that its map is as large as itself. */
export function padded({ values, side }) {
  const wide = side + 2;
  const all = new Float32Array(wide * wide);
  values.forEach((value, n) => (all[(Math.floor(n / side) + 1) * wide + (n % side) + 1] = value));
  return { values: all, side: wide };
}

/** The map of all sums: at each place, what lies under the window times its weights. */
export function convolve(image, kernel) {
  const side = image.side - WIDTH + 1;
  const values = Float32Array.from({ length: side * side }, (_, n) => {
    const inside = under(image, Math.floor(n / side), n % side);
    return inside.reduce((sum, x, i) => sum + x * kernel[i], 0);
  });
  return { values, side };
}
