// The maps of one block in rows, in the colours of a glow.

import { h } from "./dom.js";

const FINGER = 44; // pixels

/**
 * The maps of one block, of which arrow keys choose one: in rows, so not as a slider's do.
 * What is placed right after `canvas` lies below the row of the marked one.
 */
export class Mosaic {
  /** onChoose(channel, anchor) is told; anchor() is the height of what must not move. */
  constructor(index, [count, height, width], onChoose) {
    Object.assign(this, { count, height, width, current: 0 });
    const choose = (channel, anchor) => {
      this.current = Math.min(Math.max(channel, 0), count - 1);
      onChoose(this.current, anchor);
    };
    const onclick = ({ target, clientX, clientY }) => {
      const box = target.getBoundingClientRect();
      const x = Math.floor(((clientX - box.left) / box.width) * this.columns);
      const y = Math.floor((clientY - box.top) / this.#rowHeight) + (target === this.rest ? this.upper : 0);
      const channel = y * this.columns + x;
      this.canvas.focus({ preventScroll: true });
      if (channel < count) choose(channel, () => this.#topOf(channel));
    };
    this.canvas = h("canvas", {
      tabindex: 0,
      role: "application",
      "aria-label": `Maps of block ${index + 1}, ${count} in all. Arrow keys choose one to enlarge.`,
      onclick,
      onkeydown: (event) => {
        const step = {
          ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
          Enter: 0, " ": 0, Home: -count, End: count,
        }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        choose(this.current + step, () => this.canvas.getBoundingClientRect().top);
      },
    });
    this.rest = h("canvas", { "aria-hidden": "true", onclick }); // the rows after the marked one's
    this.element = h(
      "div",
      { class: "block" },
      h("p", {}, h("b", {}, `Block ${index + 1}`), ` ${count} maps of ${height}×${width}, from 0 to ${count - 1}`),
      this.canvas,
      this.rest,
    );
    // As many in a row as fit, and a finger hits; every row full, if so many rows are few.
    new ResizeObserver(([{ contentRect }]) => {
      const least = matchMedia("(pointer: coarse)").matches ? FINGER : 8 + 2 * width;
      const fits = Math.min(Math.max(Math.floor(contentRect.width / least), 1), count);
      let columns = fits;
      while (count % columns) columns--;
      if (columns < 0.8 * fits) columns = fits;
      if (columns === this.columns) return;
      this.columns = columns;
      this.paint(this.map, this.mark);
    }).observe(this.element);
  }

  get #rowHeight() {
    return (this.canvas.clientWidth * (this.height + 1)) / (this.columns * (this.width + 1) + 1);
  }

  /** Where a map lies in the window. */
  #topOf(channel) {
    const row = Math.floor(channel / this.columns);
    const [canvas, first] = row < this.upper ? [this.canvas, 0] : [this.rest, this.upper];
    return canvas.getBoundingClientRect().top + (row - first) * this.#rowHeight;
  }

  paint(map, mark) {
    Object.assign(this, { map, mark });
    if (!this.columns) return;
    const rows = Math.ceil(this.count / this.columns);
    this.upper = Number.isInteger(mark) ? Math.floor(mark / this.columns) + 1 : rows;
    this.#paintRows(this.canvas, 0, this.upper);
    this.#paintRows(this.rest, this.upper, rows);
  }

  /** Some rows, with a line of one pixel around each map. */
  #paintRows(canvas, from, to) {
    canvas.hidden = from === to;
    if (canvas.hidden) return;
    const { columns, count, height, width, map, mark } = this;
    canvas.width = columns * (width + 1) + 1;
    canvas.height = (to - from) * (height + 1) + 1;
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    const scale = map && 1 / Math.max(...map.data, 1e-9);
    for (let channel = from * columns; channel < Math.min(to * columns, count); channel++) {
      const top = (Math.floor(channel / columns) - from) * (height + 1) + 1;
      const left = (channel % columns) * (width + 1) + 1;
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const value = map ? map.data[(channel * height + i) * width + j] * scale : 0;
          picture.data.set(glow(value), 4 * ((top + i) * canvas.width + left + j));
        }
      }
    }
    context.putImageData(picture, 0, 0);
    if (!Number.isInteger(mark) || from) return; // it is in the last of the first rows
    context.strokeStyle = "#6cbeff";
    context.strokeRect((mark % columns) * (width + 1) + 0.5, (to - 1) * (height + 1) + 0.5, width + 1, height + 1);
  }
}

/** From the dark of the card through amber to nearly white, for 0 to 1. */
export function glow(value) {
  const [dark, amber, light] = [[34, 41, 61], [255, 171, 51], [255, 246, 224]];
  const [from, to, t] = value < 0.6 ? [dark, amber, value / 0.6] : [amber, light, (value - 0.6) / 0.4];
  return [...from.map((a, i) => a + (to[i] - a) * t), 255];
}

/** One map, enlarged to fill a canvas, with a frame around one of its places. */
export function paintOne(canvas, map, channel, row, column) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!map) return;
  const [, height, width] = map.size;
  const side = canvas.width / width;
  const scale = 1 / Math.max(...map.data, 1e-9);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [r, g, b] = glow(map.data[(channel * height + i) * width + j] * scale);
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.fillRect(j * side, i * side, side - 1, side - 1);
    }
  }
  context.lineWidth = 3;
  context.strokeStyle = "#6cbeff";
  context.strokeRect(column * side, row * side, side - 1, side - 1);
}
