// A digit that one moves over its 28 × 28 squares, with mouse, finger or arrow keys.

import { h } from "./dom.js";
import { digitCanvas, paint } from "./draw.js";

const SIDE = 28;
export const MOST = 6; // squares in each direction
const within = (value) => Math.min(Math.max(value, -MOST), MOST);

/** A copy moved by whole squares; what leaves is cut off, what comes in is paper. */
export function moved(digit, right, down) {
  return digit.map((_, i) => {
    const [row, column] = [Math.floor(i / SIDE) - down, (i % SIDE) - right];
    return row >= 0 && row < SIDE && column >= 0 && column < SIDE ? digit[row * SIDE + column] : 0;
  });
}

export class Shifter {
  digit = null;

  /** onMove() is told when the reader has moved the digit. */
  constructor(onMove) {
    this.onMove = onMove;
    this.canvas = digitCanvas("Your digit, to be moved with the arrow keys");
    this.canvas.setAttribute("role", "application");
    this.canvas.tabIndex = 0;
    this.canvas.classList.add("shifter");
    this.note = h("span", { class: "hint" });
    this.back = h("button", { type: "button", onclick: () => this.#to(0, 0) }, "Back");
    this.element = h("div", { class: "move" }, h("div", { class: "title" }, h("h3", {}, "drag it"), this.back), this.canvas, this.note);
    this.canvas.addEventListener("keydown", (event) => {
      const step = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
        Home: [-2 * MOST, 0], End: [2 * MOST, 0], // the ends of its row
      }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#to(this.right + step[0], this.down + step[1]);
    });
    let grip = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      if (grip && this.canvas.hasPointerCapture(grip.id)) return; // another finger holds it
      this.canvas.setPointerCapture(event.pointerId);
      grip = { id: event.pointerId, x: event.clientX, y: event.clientY, right: this.right, down: this.down };
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== grip?.id || !this.canvas.hasPointerCapture(grip.id)) return;
      const square = this.canvas.getBoundingClientRect().width / SIDE;
      this.#to(
        grip.right + Math.round((event.clientX - grip.x) / square),
        grip.down + Math.round((event.clientY - grip.y) / square),
      );
    });
    this.show(null);
  }

  /** Show another digit, in the middle. */
  show(digit) {
    this.digit = digit;
    [this.right, this.down] = [0, 0];
    this.#paint();
  }

  /** The digit as it lies now, or null. */
  get moved() {
    return this.digit && moved(this.digit, this.right, this.down);
  }

  /** Where it lies, in words. */
  get where() {
    const say = (n, forward, backward) => (n ? `${Math.abs(n)} ${n > 0 ? forward : backward}` : "");
    const parts = [say(this.right, "right", "left"), say(this.down, "down", "up")].filter(Boolean);
    return parts.length ? `moved ${parts.join(" and ")}` : "in the middle";
  }

  #to(right, down) {
    if (!this.digit) return;
    [right, down] = [within(right), within(down)];
    if (right === this.right && down === this.down) return;
    [this.right, this.down] = [right, down];
    this.#paint();
    this.onMove();
  }

  #paint() {
    paint(this.canvas, this.moved ?? new Float32Array(SIDE * SIDE));
    this.note.textContent = this.digit ? this.where : "";
    this.canvas.setAttribute("aria-label", `Your digit, ${this.digit ? this.where : "not drawn yet"}: the arrow keys move it`);
  }
}
