// The maps of one block, each to be clicked: a list of which many can be chosen.

import { h, number } from "../dom.js";
import { glow } from "../mosaic.js";

export class Grid {
  /** onChoose(channel) is told of a click, or of Enter or the space bar. */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.element = h("div", {
      class: "maps",
      role: "listbox",
      "aria-multiselectable": "true",
      onkeydown: (event) => this.#key(event),
    });
  }

  /** Lay out the maps of a block: how many, and how wide each is. */
  lay(block, count, side) {
    this.side = side;
    this.element.setAttribute("aria-label", `Maps of block ${block + 1}: arrow keys, then the space bar changes one`);
    this.cells = Array.from({ length: count }, (_, channel) => {
      const canvas = h("canvas", { width: side, height: side });
      const listeners = { onclick: () => this.onChoose(channel), onfocus: () => this.#mark(channel) };
      const element = h("div", { role: "option", tabindex: -1, ...listeners }, canvas, h("i", {}, String(channel)));
      return { canvas, element };
    });
    this.current = 0;
    this.#mark(0);
    this.element.replaceChildren(...this.cells.map(({ element }) => element));
  }

  /** Show what the maps (count, side, side) say, or null; words(channel) of the changed. */
  show(maps, { scale, shift }, words) {
    const area = this.side * this.side;
    const limit = maps ? Math.max(...maps.data, 1e-9) : 1;
    this.cells.forEach(({ canvas, element }, channel) => {
      const context = canvas.getContext("2d");
      const picture = context.createImageData(this.side, this.side);
      let largest = -Infinity;
      for (let i = 0; i < area; i++) {
        const value = maps ? maps.data[channel * area + i] * scale[channel] + shift[channel * area + i] : 0;
        picture.data.set(glow(Math.min(Math.max(value / limit, 0), 1)), 4 * i);
        largest = Math.max(largest, value);
      }
      context.putImageData(picture, 0, 0);
      const said = words(channel);
      const parts = [`map ${channel}`, said, maps && `largest value ${number(largest, 1)}`];
      element.setAttribute("aria-selected", String(said !== ""));
      element.setAttribute("aria-label", parts.filter(Boolean).join(", "));
      element.classList.toggle("cut", said.startsWith("off"));
    });
  }

  /** The one map of the block that the tab key reaches. */
  #mark(channel) {
    this.cells[this.current].element.tabIndex = -1;
    this.cells[channel].element.tabIndex = 0;
    this.current = channel;
  }

  #move(channel) {
    this.cells[Math.min(Math.max(channel, 0), this.cells.length - 1)].element.focus();
  }

  #key(event) {
    const columns = getComputedStyle(this.element).gridTemplateColumns.split(" ").length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: this.cells.length - 1 };
    if (event.key in steps) this.#move(this.current + steps[event.key]);
    else if (event.key in ends) this.#move(ends[event.key]);
    else if (event.key === " " || event.key === "Enter") this.onChoose(this.current);
    else return;
    event.preventDefault();
  }
}
