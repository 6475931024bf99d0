// A pen for the keyboard: it goes over a sheet step by step, a ring around its place.

import { h } from "./dom.js";
import { SIZE } from "./ink.js";

const STEP = 10; // one of the 28 squares
const WAYS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  Home: [-1, -1], PageUp: [1, -1], End: [-1, 1], PageDown: [1, 1], // as on a keypad
};
const REST = 700; // milliseconds after which a pen that stands still is asked
const HELP =
  "Arrow keys move the pen, Space puts it down and lifts it, and with Shift it draws. " +
  "Backspace takes back a stroke, Delete clears, Escape leaves. Keys 0 to 9 draw that digit.";

let sheets = 0;

export class Keys {
  place = [SIZE / 2, SIZE / 2];
  down = false;
  held = false; // down for as long as Shift is

  /** The sheet must have begin, go, end and onChange; see sheet.js. */
  constructor(sheet) {
    this.sheet = sheet;
    const { canvas } = sheet;
    const help = h("span", { id: `sheet-keys-${++sheets}` }, HELP);
    canvas.append(help); // to be read out, not seen
    canvas.setAttribute("aria-describedby", help.id);
    this.ring = h("i", { class: "ring" });
    this.said = h("span", { class: "said", "aria-live": "polite" });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("keyup", ({ key }) => key === "Shift" && this.held && this.#lift());
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.#show());
    canvas.addEventListener("pointerdown", () => this.#leave());
    canvas.addEventListener("blur", () => this.#leave());
  }

  /** The stroke that the pen was at is gone. */
  forget() {
    clearTimeout(this.rest);
    if (!this.down) return;
    this.down = this.held = false;
    this.#say();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in WAYS) this.#go(WAYS[event.key], event.shiftKey);
    else if (event.key === "Escape") this.sheet.canvas.blur();
    else if (event.key !== " " && event.key !== "Enter") return;
    else if (!event.repeat) this.down ? this.#lift() : this.#put();
    event.preventDefault();
  }

  #go([right, down], shift) {
    if (this.held && !shift) this.#lift();
    if (shift && !this.down) {
      this.#put();
      this.held = true;
    }
    const within = (value) => Math.min(Math.max(value, STEP), SIZE - STEP);
    this.place = [within(this.place[0] + STEP * right), within(this.place[1] + STEP * down)];
    if (this.down) this.sheet.go(this.place);
    this.#show();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.#say();
      if (this.down) this.sheet.onChange(true); // as at the end of a stroke
    }, REST);
  }

  #put() {
    this.sheet.begin(this.place);
    this.down = true;
    this.#show();
    this.#say();
  }

  #lift() {
    this.forget();
    this.sheet.end();
  }

  #leave() {
    if (this.down) this.#lift();
    this.ring.remove();
    this.said.remove();
  }

  #show() {
    if (!this.ring.isConnected) {
      this.said.textContent = HELP;
      this.sheet.canvas.after(this.ring, this.said);
    }
    this.ring.classList.toggle("down", this.down);
    [this.ring.style.left, this.ring.style.top] = this.place.map((at) => `${(100 * at) / SIZE}%`);
  }

  #say() {
    this.ring.classList.toggle("down", this.down);
    const [column, row] = this.place.map((at) => at / STEP);
    this.said.textContent = `Pen ${this.down ? "down" : "up"}, column ${column}, row ${row} of 27.`;
  }
}
