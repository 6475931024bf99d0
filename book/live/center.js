// Drawn ink to the digit that a network sees: mnistedu.preprocess.center_digit.

import { SIZE } from "./ink.js";

export const BOX = 20; // these three are those of mnistedu.preprocess
export const MIDDLE = 14.5;
export const THRESHOLD = 0.1;
const PIXELS = 28;

/** Ink of 280 × 280 to 28 × 28: its longer side 20, its centre of mass in the middle. */
export function center(ink) {
  const down = extentAndMean((i, j) => ink[i * SIZE + j]);
  const across = extentAndMean((i, j) => ink[j * SIZE + i]);
  const step = Math.max(down.extent, across.extent) / BOX; // ink pixels to one pixel
  const [rows, columns] = [weights(down.mean, step), weights(across.mean, step)];
  const image = new Float32Array(PIXELS * PIXELS);
  rows.forEach((row, i) => {
    const line = new Float64Array(SIZE); // (28, 280) @ (280, 280), one row of it
    row.forEach((weight, y) => {
      for (let x = 0; weight && x < SIZE; x++) line[x] += weight * ink[y * SIZE + x];
    });
    columns.forEach((column, j) => {
      const sum = column.reduce((sum, weight, x) => sum + weight * line[x], 0);
      image[i * PIXELS + j] = Math.min(sum, 1);
    });
  });
  return image;
}

/** Length of the inked stretch along one axis, and the centre of mass. */
function extentAndMean(at) {
  let [first, last, total, moment] = [SIZE, 0, 0, 0];
  for (let i = 0; i < SIZE; i++) {
    let [peak, mass] = [0, 0];
    for (let j = 0; j < SIZE; j++) {
      peak = Math.max(peak, at(i, j));
      mass += at(i, j);
    }
    if (peak > THRESHOLD) [first, last] = [Math.min(first, i), i + 1];
    total += mass;
    moment += mass * (i + 0.5);
  }
  return { extent: Math.max(last - first, 1), mean: moment / (total || 1) };
}

/** How much each of the 280 pixels of the ink counts for each of the 28. */
function weights(middle, step) {
  const reach = Math.max(step, 1);
  return Array.from({ length: PIXELS }, (_, i) => {
    const centre = middle + (i + 0.5 - MIDDLE) * step;
    return Array.from({ length: SIZE }, (_, j) =>
      Math.max(1 - Math.abs(j + 0.5 - centre) / reach, 0) / reach,
    );
  });
}
