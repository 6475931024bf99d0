// How many digits some ink shows: mnistedu.reading.count_digits.

import { THRESHOLD } from "./center.js";
import { SIZE } from "./ink.js";

/** How many digits stand beside or above each other. */
export function countDigits(ink) {
  const [rows, columns] = inked(ink);
  if (!rows.includes(true)) return 0;
  const [height, width] = [extent(rows), extent(columns)];
  const [acrossRuns, downRuns] = [runs(columns), runs(rows)];
  const [tall, gap] = width > 1.25 * height ? [0.5, 0] : [0.85, 0.06];
  const heights = acrossRuns.map(([first, last]) => extent(inked(ink, { left: first, right: last })[0]));
  const beside = count(acrossRuns, heights, tall, gap);
  if (acrossRuns.length === 1 && height < 1.25 * width) return Math.max(beside, 1);
  const lengths = downRuns.map(([first, last]) => {
    const wide = extent(inked(ink, { top: first, bottom: last })[1]);
    return wide <= 1.6 * (last - first) ? last - first : 0;
  });
  return Math.max(beside, count(downRuns, lengths, 0.5, 0.05), 1);
}

function count(found, heights, tall, gap) {
  let [total, end] = [0, -Infinity];
  const highest = Math.max(...heights);
  found.forEach(([first, last], i) => {
    if (heights[i] < Math.max(tall * highest, 1)) return;
    if (first - end >= gap * highest) total++;
    end = last;
  });
  return total;
}

/** Which rows, and which columns, of a part of the sheet hold ink. */
export function inked(ink, { left = 0, right = SIZE, top = 0, bottom = SIZE } = {}) {
  const [rows, columns] = [Array(SIZE).fill(false), Array(SIZE).fill(false)];
  for (let i = top; i < bottom; i++) {
    for (let j = left; j < right; j++) {
      if (ink[i * SIZE + j] > THRESHOLD) rows[i] = columns[j] = true;
    }
  }
  return [rows, columns];
}

/** Where the stretches of true begin and end. */
function runs(flags) {
  const found = [];
  flags.forEach((flag, i) => {
    if (flag && !flags[i - 1]) found.push([i, i]);
    if (flag) found.at(-1)[1] = i + 1;
  });
  return found;
}

/** From the first to the last true. */
export const extent = (flags) => flags.lastIndexOf(true) - flags.indexOf(true) + 1;
