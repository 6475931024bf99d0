// Drawn ink to the digit that a network sees: mnistedu.preprocess.

import { SIZE } from "./ink.js";

export const BOX = 20; // these three are those of mnistedu.preprocess
export const MIDDLE = 14.5;
export const THRESHOLD = 0.1;
const PIXELS = 28;

/** Ink of 280 × 280 to 28 × 28: its longer side 20, its centre of mass in the middle. */
export function center(ink) {
  const down = extentAndMean(ink, SIZE, 1);
  const across = extentAndMean(ink, 1, SIZE);
  const step = Math.max(down.extent, across.extent) / BOX; // ink pixels to one pixel
  return resample(ink, windows(down.mean, step), windows(across.mean, step));
}

/** Ink of 280 × 280 to 28 × 28 as it is, its pixels averaged: neither moved nor scaled. */
export function shrink(ink) {
  const step = SIZE / PIXELS;
  const all = Array.from({ length: PIXELS }, (_, i) => ({
    first: i * step,
    weights: new Float64Array(step).fill(1 / step),
  }));
  return resample(ink, all, all);
}

/** Length of the inked stretch along one axis, and the centre of mass. */
function extentAndMean(ink, along, across) {
  let [first, last, total, moment] = [SIZE, 0, 0, 0];
  for (let i = 0; i < SIZE; i++) {
    let [peak, mass] = [0, 0];
    for (let j = 0; j < SIZE; j++) {
      const value = ink[i * along + j * across];
      if (value === 0) continue; // paper, which most of the sheet is
      peak = Math.max(peak, value);
      mass += value;
    }
    if (peak > THRESHOLD) [first, last] = [Math.min(first, i), i + 1];
    total += mass;
    moment += mass * (i + 0.5);
  }
  return { extent: Math.max(last - first, 1), mean: moment / (total || 1) };
}

/** Which of the ink's 280 pixels count for each of the 28, and how much. */
function windows(middle, step) {
  const reach = Math.max(step, 1);
  const inside = (j) => Math.min(Math.max(j, 0), SIZE);
  return Array.from({ length: PIXELS }, (_, i) => {
    const centre = middle + (i + 0.5 - MIDDLE) * step;
    const first = inside(Math.ceil(centre - reach - 0.5));
    const length = inside(Math.floor(centre + reach + 0.5)) - first;
    const weight = (j) => (1 - Math.abs(j + 0.5 - centre) / reach) / reach;
    return { first, weights: Float64Array.from({ length }, (_, k) => weight(first + k)) };
  });
}

/** Rows @ ink @ columns.T, (28, 280) @ (280, 280) @ (280, 28), at most 1. */
function resample(ink, rows, columns) {
  const narrow = new Float32Array(PIXELS * SIZE); // (28, 280), columns @ ink.T
  for (let y = 0; y < SIZE; y++) {
    columns.forEach((column, j) => (narrow[j * SIZE + y] = product(column, ink, y * SIZE)));
  }
  return Float32Array.from({ length: PIXELS * PIXELS }, (_, n) =>
    Math.min(product(rows[Math.floor(n / PIXELS)], narrow, (n % PIXELS) * SIZE), 1),
  );
}

function product({ first, weights }, values, start) {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += weights[k] * values[start + first + k];
  return sum;
}
