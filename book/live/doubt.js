// What the pad says of drawings that are hardly a digit: mnistedu.doubt.

import { countDigits, extent, inked } from "./count.js";

const DOT = 50; // these three are those of mnistedu.doubt
const MOST_INK = 0.33;
const SOLID = 0.9;

/**
 * How little a drawing looks like the digits that a network knows: above 0 it is
 * doubted. It is null for a network that has no such measure.
 */
export function measureDoubt(measure, { maps, logits }) {
  if (!measure) return null;
  const means = maps.slice(-2).flatMap(({ data, size: [count, height, width] }) =>
    Array.from({ length: count }, (_, c) => {
      const map = data.subarray(c * height * width, (c + 1) * height * width);
      return map.reduce((a, b) => a + b) / map.length;
    }),
  );
  const said = [...means, ...Array.from(logits).sort((a, b) => a - b)];
  return said.reduce((sum, value, i) => sum + value * measure.weights[i], measure.bias);
}

export const ONLY = "It can only answer with a digit from 0 to 9.";

/** A sentence on a drawing, ink and what center() made of it, that is hardly one digit, or "". */
export const hardly = (ink, digit, doubt = null) => several(countDigits(ink)) || remark(ink, { digit, doubt });

/** A sentence on ink that shows more than one digit, or "". */
export const several = (count) => (count > 1 ? `These look like ${count} digits: draw one at a time.` : "");

/** A sentence on ink that is hardly a digit, or "". */
export function remark(ink, { digit, doubt }) {
  if (digit.reduce((a, b) => a + b) / digit.length > MOST_INK || isSpot(digit)) {
    return Math.max(...inked(ink).map(extent)) <= DOT
      ? "This is a dot: draw a whole digit."
      : "This is too much ink for a digit: clear the sheet, and draw it large, in single lines.";
  }
  return doubt !== null && doubt > 0 ? "This looks like none of the digits that it knows." : "";
}

/** Whether ink is a solid spot, less than twice as long as wide: an ellipse's spread gives its area. */
function isSpot(image) {
  const side = Math.sqrt(image.length);
  let [sum, x, y, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
  image.forEach((ink, i) => {
    const [column, row] = [i % side, Math.floor(i / side)];
    sum += ink;
    x += ink * column;
    y += ink * row;
    xx += ink * column ** 2;
    xy += ink * column * row;
    yy += ink * row ** 2;
  });
  const wide = xx / sum - (x / sum) ** 2 + 1 / 12; // a pixel is a square
  const high = yy / sum - (y / sum) ** 2 + 1 / 12;
  const slanted = xy / sum - (x * y) / sum ** 2;
  const [mean, off] = [(wide + high) / 2, Math.hypot((wide - high) / 2, slanted)];
  const area = 4 * Math.PI * Math.sqrt((mean - off) * (mean + off));
  return sum > SOLID * area && mean + off < 4 * (mean - off);
}
