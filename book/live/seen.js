// The picture that the network sees, 28 × 28 squares, and the heat under them. The ink
// that was drawn flies into it and falls apart into its squares.

import { BOX, MIDDLE, THRESHOLD } from "./center.js";
import { h, number, signed, still } from "./dom.js";
import { SIZE } from "./ink.js";

const PIXELS = 28;
const CELL = 20; // pixels of the canvas to one square
const SIDE = PIXELS * CELL;

export const BLUE = [79, 168, 255]; // what adds to a logit
export const RED = [255, 84, 84]; // what takes from it

const between = (a, b, t) => a + (b - a) * t;
const ease = (t) => 1 - (1 - t) ** 3;

export class Seen {
  constructor() {
    this.canvas = h("canvas", { width: SIDE, height: SIDE, role: "img" });
    this.flight = h("canvas", { class: "flight", width: SIDE, height: SIDE });
    this.flight.setAttribute("aria-hidden", "true");
    this.frame = h("div", { class: "seen" }, this.canvas, this.flight);
    [this.least, this.most, this.unit] = [h("span"), h("span"), h("small")];
    this.scale = h("p", { class: "scale" }, this.least, h("i"), this.most, this.unit);
    this.show();
  }

  /** Show a digit, 28 × 28 in [0, 1], over a heatmap, if any: see enlarge. */
  show(digit = [], heat = null) {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    if (heat) paintHeat(context, heat);
    this.grown = heat ? 0.75 : 1; // between smaller squares more of the heat is seen
    paintSquares(context, digit, this.grown);
    this.scale.style.visibility = heat ? "visible" : "hidden"; // it keeps its place
    if (!heat) return;
    this.least.textContent = `−${number(heat.limit)}`;
    this.most.textContent = `+${number(heat.limit)}`;
    this.unit.textContent = `added to any of the ten logits by one of ${heat.values.length} places`;
  }

  /** Let the ink of a sheet fly here and become the digit. */
  land(sheet, digit, centered) {
    cancelAnimationFrame(this.frameId);
    if (still() || !digit) {
      this.canvas.style.opacity = 1;
      this.flight.hidden = true;
      return;
    }
    const [scale, left, top] = placement(sheet.ink, centered);
    const from = sheet.canvas.getBoundingClientRect();
    const to = this.frame.getBoundingClientRect();
    const context = this.flight.getContext("2d");
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(Math.max((now - start) / 700, 0), 1);
      const way = ease(Math.min(t / 0.75, 1)); // first it flies …
      const apart = Math.min(Math.max((t - 0.45) / 0.45, 0), 1); // … then it falls apart
      const side = SIDE * between(1, scale, way);
      this.flight.style.transform =
        `translate(${between(from.left - to.left, 0, way)}px, ` +
        `${between(from.top - to.top, 0, way)}px) ` +
        `scale(${between(from.width / to.width, 1, way)})`;
      context.clearRect(0, 0, SIDE, SIDE);
      context.globalAlpha = 1 - apart;
      context.drawImage(
        sheet.canvas,
        between(0, left * CELL, way),
        between(0, top * CELL, way),
        side,
        side,
      );
      context.globalAlpha = 1;
      if (way === 1 || apart > 0) paintSquares(context, digit, apart * this.grown);
      this.flight.hidden = t === 1;
      this.canvas.style.opacity = t === 1 ? 1 : 0.15;
      if (t < 1) this.frameId = requestAnimationFrame(step);
    };
    step(start);
  }
}

/** Where the whole sheet comes to lie: its scale, and its corner in squares. */
function placement(ink, centered) {
  if (!centered) return [1, 0, 0];
  let [x0, y0, x1, y1, sum, sumX, sumY] = [SIZE, SIZE, 0, 0, 0, 0, 0];
  for (let i = 0; i < ink.length; i++) {
    const value = ink[i];
    if (value === 0) continue;
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    sum += value;
    sumX += value * (x + 0.5);
    sumY += value * (y + 0.5);
    if (value <= THRESHOLD) continue;
    [x0, y0] = [Math.min(x0, x), Math.min(y0, y)];
    [x1, y1] = [Math.max(x1, x + 1), Math.max(y1, y + 1)];
  }
  const step = Math.max(x1 - x0, y1 - y0) / BOX; // pixels of the sheet to one square
  const corner = (mean) => MIDDLE - mean / step;
  return [SIZE / PIXELS / step, corner(sumX / sum), corner(sumY / sum)];
}

/** Squares of the size that `grown`, from 0 to 1, says. */
function paintSquares(context, digit, grown) {
  const side = CELL * 0.875 * grown;
  const inset = (CELL - side) / 2;
  for (let i = 0; i < digit.length; i++) {
    if (digit[i] < 0.004) continue;
    context.fillStyle = `rgb(255 181 69 / ${digit[i]})`;
    const [row, column] = [Math.floor(i / PIXELS), i % PIXELS];
    context.fillRect(column * CELL + inset, row * CELL + inset, side, side);
  }
}

/** Values of height × width brought to 28 × 28, as mnistedu.gradcam.enlarge does. */
export function enlarge({ values, height, width }) {
  const places = (size) =>
    Array.from({ length: PIXELS }, (_, i) => {
      const place = Math.min(Math.max(((i + 0.5) * size) / PIXELS - 0.5, 0), size - 1);
      return [Math.floor(place), Math.ceil(place), place % 1];
    });
  const columns = places(width);
  return places(height).flatMap(([above, below, down]) =>
    columns.map(([left, right, across]) => {
      const row = (i) => between(values[i * width + left], values[i * width + right], across);
      return between(row(above), row(below), down);
    }),
  );
}

/** Where a map with rows of this width says most for its class, and most against it. */
export function strongest(values, width) {
  const say = (name, value) => {
    const place = values.indexOf(value);
    return `most ${name} it: row ${Math.floor(place / width)}, column ${place % width}, ${signed(value)}`;
  };
  const [most, least] = [Math.max(...values), Math.min(...values)];
  const said = [most > 0 && say("for", most), least < 0 && say("against", least)];
  return `${said.filter(Boolean).join("; ")} (counted from 0)`;
}

function paintHeat(context, heat) {
  const pixels = new ImageData(PIXELS, PIXELS);
  enlarge(heat).forEach((value, i) => {
    const strength = Math.abs(value) / Math.max(heat.limit, 1e-9);
    pixels.data.set([...(value > 0 ? BLUE : RED), 235 * strength], 4 * i);
  });
  const small = new OffscreenCanvas(PIXELS, PIXELS);
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, SIDE, SIDE);
}
