// Squares of numbers with a frame on some of them, which one moves by mouse, finger or keys.

import { h } from "./dom.js";

const CELL = 12; // pixels of the canvas to a square
const FRAME = "#e8ecf6";
const AMBER = "255 181 69"; // ink
const [BLUE, RED] = ["79 168 255", "255 84 84"]; // above and below 0, as in seen.js
const STEPS = {
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
  Home: [0, -Infinity], End: [0, Infinity], // the ends of its row
};

const within = (value, most) => Math.min(Math.max(value, 0), most);

export class Board {
  place = [0, 0]; // row and column of the frame's upper left square

  /** A name, squares in a row, those in a row of the frame; onMove(row, column) is told. */
  constructor(name, side, frame, onMove) {
    Object.assign(this, { name, side, frame, onMove });
    this.canvas = h("canvas", {
      class: "board", width: side * CELL, height: side * CELL, tabindex: 0, role: "application",
      onpointerdown: (event) => this.#point(event),
      onpointermove: (event) => this.#point(event),
      onkeydown: (event) => {
        const step = STEPS[event.key];
        if (!step) return;
        event.preventDefault();
        this.#move(this.place[0] + step[0], this.place[1] + step[1]);
      },
    });
  }

  /** The middle of the frame comes to lie under the pointer. */
  #point({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const at = (from, length) => Math.floor(((from / length) * this.side) - (this.frame - 1) / 2);
    this.#move(at(clientY - box.top, box.height), at(clientX - box.left, box.width));
  }

  #move(row, column) {
    const most = this.side - this.frame;
    [row, column] = [within(row, most), within(column, most)];
    if (row !== this.place[0] || column !== this.place[1]) this.onMove(row, column);
  }

  /** Paint values in [-limit, limit], the first `count` of them: ink, or numbers with a sign. */
  show(values, [row, column], { limit = 1, signed = false, count = values.length } = {}) {
    this.place = [row, column];
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (let n = 0; n < count; n++) {
      const strength = Math.abs(values[n]) / limit;
      if (strength < 0.004) continue;
      const colour = !signed ? AMBER : values[n] > 0 ? BLUE : RED;
      context.fillStyle = `rgb(${colour} / ${strength})`;
      const [i, j] = [Math.floor(n / this.side), n % this.side];
      context.fillRect(j * CELL, i * CELL, CELL - 1, CELL - 1);
    }
    context.lineWidth = 3;
    context.strokeStyle = FRAME;
    const size = this.frame * CELL - 1;
    context.strokeRect(column * CELL, row * CELL, size, size);
    this.canvas.setAttribute("aria-label", `${this.name}, row ${row}, column ${column}: the arrow keys move the window`);
  }
}
