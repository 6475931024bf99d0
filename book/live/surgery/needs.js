// Which maps each digit needs: what of its lead is lost without each, as a picture.

import { a, h, number } from "../dom.js";
import { BLUE, RED } from "../seen.js";

const CELL = 24; // pixels of the canvas to one cell, along each side
const COLUMNS = 32; // to a strip, under which the next one begins
const MARGIN = 24; // for the rows' names, and above each strip for those of its columns
const WELL = [15, 19, 32];
const CHOICES = [4, 8, 16, 24];

export class Needs {
  /** onTry() is told of the start, onCut(channels) of maps to be changed. */
  constructor(onTry, onCut) {
    this.button = h("button", { type: "button", onclick: onTry });
    this.canvas = h("canvas", { role: "img", "aria-label": "Which map each digit needs most" });
    this.legend = h("p", { class: "hint" });
    this.count = h("select", {});
    for (const count of CHOICES) this.count.append(new Option(count));
    this.count.value = 16;
    const cut = (label, says, choose) => {
      const button = h("button", { type: "button" }, label);
      button.setAttribute("aria-label", says);
      button.addEventListener("click", () => onCut(choose().slice(0, this.count.value)));
      return button;
    };
    this.cuts = h(
      "div",
      { class: "cuts", role: "group", "aria-label": "Change many maps of this block" },
      h("label", {}, "Change the ", this.count, " maps needed most by\u00a0a"),
      ...Array.from({ length: 10 }, (_, digit) =>
        cut(String(digit), `Change what ${digit} needs most`, () => this.order(digit)),
      ),
      cut("as many at random", "Change as many at random", () => shuffled(this.columns.length)),
    );
    // What it costs stands above, and is read out there; a finger here would not see it.
    this.cost = h("p", { class: "cost", "aria-hidden": "true" });
    const parts = [this.button, this.legend, this.canvas, this.cuts, this.cost];
    this.element = h("div", { class: "needs" }, ...parts);
  }

  /** Nothing is known of the maps of this block yet. */
  clear(block, count) {
    this.columns = new Array(count).fill(null);
    this.block = block;
    this.button.textContent = `Try each of the ${count} maps of block ${block + 1}`;
    this.#tell("One map at a time is replaced by its mean. Guess first: how many maps will a 7 need?");
    this.canvas.hidden = this.cuts.hidden = this.cost.hidden = true;
    this.cost.textContent = "";
  }

  /** The network has changed: what is not finished counts no more. */
  stop() {
    if (this.cuts.hidden) this.clear(this.block, this.columns.length);
  }

  /** Ten numbers: what each digit loses of its lead without this map. */
  add(channel, lost) {
    this.columns[channel] = lost;
    const known = this.columns.filter(Boolean);
    this.canvas.hidden = false;
    const live = known.length === 1 ? "polite" : "off"; // once, that it has begun
    this.#tell(`${known.length} of ${this.columns.length} maps tried …`, live);
    this.#paint(known);
  }

  /** All are known; of how many digits, and what was changed before, in words. */
  finish(count, before) {
    this.cuts.hidden = this.cost.hidden = false;
    const limit = number(this.limit, 1);
    const [digit, channel] = this.#most();
    const text =
      `A row for each digit, a column for each map. Blue: without the map the digit loses lead, ` +
      `at most ${limit}; red: it gains. Most of all ${a(digit)} needs map ${channel}. ` +
      `(${count} digits: faint colours may be chance.)`;
    this.#tell(before ? `${text} Changed before: ${before}` : text, "polite");
    const needs = Array.from({ length: 10 }, (_, each) => `${each}: map ${this.order(each)[0]}`);
    this.canvas.setAttribute("aria-label", `Which map each digit needs most. ${needs.join(", ")}.`);
  }

  /** A sentence under the button, read out only where it is a finding. */
  #tell(text, live = "off") {
    this.legend.setAttribute("aria-live", live);
    this.legend.textContent = text;
  }

  /** The maps, those first which a digit needs most. */
  order(digit) {
    return this.columns.map((_, channel) => channel)
      .sort((a, b) => this.columns[b][digit] - this.columns[a][digit]);
  }

  #most() {
    const tops = Array.from({ length: 10 }, (_, digit) => [digit, this.order(digit)[0]]);
    return tops.reduce((a, b) => (this.columns[b[1]][b[0]] > this.columns[a[1]][a[0]] ? b : a));
  }

  #paint(known) {
    this.limit = Math.max(...known.flat().map(Math.abs), 1e-9);
    const strip = MARGIN + 10 * CELL;
    this.canvas.width = MARGIN + COLUMNS * CELL;
    this.canvas.height = Math.ceil(this.columns.length / COLUMNS) * strip;
    const context = this.canvas.getContext("2d");
    const shrunk = this.canvas.width / (this.canvas.clientWidth || this.canvas.width);
    context.font = `${Math.max(18, 9.5 * shrunk)}px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textAlign = "center";
    this.columns.forEach((lost, channel) => {
      const x = MARGIN + (channel % COLUMNS) * CELL;
      const top = Math.floor(channel / COLUMNS) * strip + MARGIN;
      const name = (text, left, y) => {
        context.fillStyle = "#a9b4cf";
        context.fillText(text, left + CELL / 2, y + 18);
      };
      if (channel % 4 === 0) name(channel, x, top - MARGIN);
      for (let digit = 0; digit < 10; digit++) {
        if (channel % COLUMNS === 0) name(digit, 0, top + digit * CELL);
        const value = lost ? lost[digit] / this.limit : 0;
        const colour = value > 0 ? BLUE : RED;
        const mixed = WELL.map((dark, i) => dark + (colour[i] - dark) * Math.abs(value));
        context.fillStyle = `rgb(${mixed.map(Math.round).join(" ")})`;
        context.fillRect(x, top + digit * CELL, CELL - 2, CELL - 2);
      }
    });
  }
}

function shuffled(count) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
