// The feature maps of each block, and one of them enlarged.

import { explain, normalized } from "./convolution.js";
import { h, number, still } from "./dom.js";
import { Mosaic, paintOne } from "./mosaic.js";
import { sentences } from "./sentences.js";

// Those of the network that answers first: their places are there before it is.
const FIRST = [[32, 12, 12], [64, 6, 6], [128, 6, 6], [128, 6, 6]];

export class Maps {
  element = h("section", { class: "maps", "aria-label": "Feature maps" });
  blocks = [];
  chosen = null; // { block, channel, row, column, input }

  constructor() {
    this.#build(FIRST);
  }

  /** Show what a network has found: its answer as ours.js gives it, or null. */
  show(network, answer, finished) {
    this.network = network;
    this.answer = answer;
    const sizes = answer?.maps.map(({ size }) => size);
    if (answer && sizes.join(";") !== this.sizes) this.#build(sizes);
    this.blocks.forEach((block, i) => {
      block.paint(answer?.maps[i], this.#marked(i));
      block.element.inert = !answer; // there is nothing to choose from
    });
    if (answer && finished && !still()) this.#lightUp();
    this.#explain();
  }

  #build(sizes) {
    this.sizes = sizes.join(";");
    this.chosen = null;
    this.blocks = sizes.map(
      (size, i) => new Mosaic(i, size, (channel, anchor) => this.#choose(i, channel, anchor)),
    );
    this.detail = h("div", { class: "detail", onkeydown: ({ key }) => key === "Escape" && this.#close() });
    this.detail.hidden = true;
    this.said = h("p", { class: "visually-hidden", "aria-live": "polite" });
    this.element.replaceChildren(
      ...(sizes.length
        ? this.blocks.map((block) => block.element)
        : [h("p", {}, "This network’s file holds no feature maps.")]),
      this.detail,
      this.said,
    );
  }

  #marked(block) {
    return this.chosen?.block === block ? this.chosen.channel : null;
  }

  /** One block after the other, as the signal passes through them. */
  #lightUp() {
    this.blocks.forEach(({ canvas, rest }, i) => {
      for (const part of [canvas, rest]) {
        part.animate(
          { opacity: [0.15, 1], filter: ["brightness(1.6)", "brightness(1)"] },
          { duration: 450, delay: 350 + 160 * i, fill: "backwards", easing: "ease-out" },
        );
      }
    });
  }

  #choose(block, channel, anchor) {
    const map = this.answer.maps[block];
    // Begin where the map is strongest.
    const [, height, width] = map.size;
    const values = map.data.subarray(channel * height * width, (channel + 1) * height * width);
    const place = values.indexOf(Math.max(...values));
    const [row, column] = [Math.floor(place / width), place % width];
    const before = anchor();
    this.chosen = { block, channel, row, column, input: null };
    this.blocks.forEach((each, i) => each.paint(this.answer.maps[i], this.#marked(i)));
    this.#enlarge();
    this.#explain();
    // What was touched stays where it is, but as far as the map needs to be in view.
    scrollBy({ top: anchor() - before, behavior: "instant" });
    this.large.scrollIntoView({ block: "nearest", behavior: "instant" });
    this.#tell(`Block ${block + 1}, map ${channel}. `);
  }

  /** The chosen map at full width, with a place to choose by mouse or arrow keys. */
  #enlarge() {
    const { block, channel } = this.chosen;
    const [, height, width] = this.answer.maps[block].size;
    this.large = h("canvas", {
      class: "large",
      width: 24 * width,
      height: 24 * height,
      tabindex: 0,
      role: "application",
      "aria-label": `Map ${channel} of block ${block + 1}, enlarged. Arrow keys choose a place.`,
      onpointerdown: (event) => at(event),
      onpointermove: (event) => at(event),
      onkeydown: (event) => {
        const steps = {
          ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
          Home: [0, -width], End: [0, width], // the ends of its row
        };
        if (!(event.key in steps)) return;
        event.preventDefault();
        const [down, right] = steps[event.key];
        move(this.chosen.row + down, this.chosen.column + right);
      },
    });
    const move = (row, column) => {
      const within = (value, size) => Math.min(Math.max(value, 0), size - 1);
      row = within(row, height);
      column = within(column, width);
      if (row === this.chosen.row && column === this.chosen.column) return;
      Object.assign(this.chosen, { row, column, input: null });
      this.#explain();
      this.#tell();
    };
    const at = (event) => {
      const box = this.large.getBoundingClientRect();
      move(
        Math.floor(((event.clientY - box.top) / box.height) * height),
        Math.floor(((event.clientX - box.left) / box.width) * width),
      );
    };
    this.sum = h("div", { class: "sum" });
    const [count] = this.answer.maps[block].size;
    const neighbour = (sign, name, by) => {
      const onclick = () => {
        this.#choose(block, (channel + by + count) % count, () => this.detail.getBoundingClientRect().top);
        this.detail.querySelector(`[aria-label="${name}"]`).focus();
      };
      return h("button", { type: "button", "aria-label": name, onclick }, sign);
    };
    const level = this.element.closest(".pad").querySelector("h3").ariaLevel; // as skip.js set it
    this.detail.replaceChildren(
      h(
        "div",
        { class: "title" },
        h("h3", { "aria-level": level }, `Block ${block + 1}, map ${channel}`),
        neighbour("‹", "Previous map", -1),
        neighbour("›", "Next map", 1),
        h("button", { type: "button", onclick: () => this.#close() }, "Close"),
      ),
      h("div", { class: "enlarged" }, this.large, this.sum),
    );
    this.blocks[block].canvas.after(this.detail); // right below what was touched
    this.detail.hidden = false;
  }

  #close() {
    const { canvas } = this.blocks[this.chosen.block];
    this.chosen = null;
    this.detail.hidden = true;
    this.said.textContent = "";
    this.blocks.forEach((each, i) => each.paint(this.answer?.maps[i], null));
    canvas.focus();
  }

  /** Say the chosen place and its number; the sum behind it is there to be read. */
  #tell(name = "") {
    const { block, channel, row, column } = this.chosen;
    const map = this.answer?.maps[block];
    if (!map) return;
    const [, height, width] = map.size;
    const value = map.data[(channel * height + row) * width + column];
    this.said.textContent = `${name}Row ${row}, column ${column}: ${number(value)}`;
  }

  #explain() {
    if (!this.chosen) return;
    const { block, channel, row, column } = this.chosen;
    const map = this.answer?.maps[block];
    paintOne(this.large, map, channel, row, column);
    if (!map) return this.sum.replaceChildren("Draw a digit to see the numbers.");
    const { weights } = this.network;
    if (!weights) {
      return this.sum.replaceChildren(
        "The weights behind a number are shown for the course’s own networks.",
      );
    }
    const { answer, chosen } = this;
    const input = block ? answer.maps[block - 1] : normalized(answer.digit);
    const again = () => this.#explain();
    const found = explain(weights, block, channel, row, column, input, map);
    const focused = this.sum.contains(document.activeElement);
    this.sum.replaceChildren(...sentences(found, chosen, again));
    if (focused) this.sum.querySelector("[aria-pressed=true]")?.focus();
  }
}
