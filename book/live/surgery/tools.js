// Which block lies on the table, and what a click does to one of its maps.

import { h, number } from "../dom.js";
import { KINDS } from "./masks.js";

const BLOCKS = 4;
const FIRST = 1; // the block that the chapter operates on, counted from 0

export class Tools {
  kind = "mean";
  factor = 2;

  /** onBlock(block) and onReset() are told of the reader's choice. */
  constructor(onBlock, onReset) {
    const blocks = Array.from({ length: BLOCKS }, (_, block) =>
      radio("block", `Block ${block + 1}`, block === FIRST, () => onBlock(block)),
    );
    this.radios = Object.fromEntries(
      Object.entries(KINDS).map(([kind, words]) => [kind, radio("kind", words, kind === this.kind, () => this.#set(kind))]),
    );
    this.slider = h("input", {
      type: "range", min: -1, max: 3, step: 0.5, value: this.factor, "aria-label": "times",
      oninput: () => this.#set("times"),
    });
    this.shown = h("span", { class: "factor", "aria-hidden": "true" }, String(this.factor));
    this.element = h(
      "div",
      { class: "tools" },
      h("div", { class: "choice", role: "radiogroup", "aria-label": "Block on the table" }, ...blocks),
      h("button", { type: "button", onclick: onReset }, "Reset"),
      h(
        "div",
        { class: "choice", role: "radiogroup", "aria-label": "What a click puts in a map's place" },
        h("span", { "aria-hidden": "true" }, "A click puts in a map's place"),
        ...Object.values(this.radios),
        this.slider,
        this.shown,
      ),
    );
  }

  #set(kind) {
    this.kind = kind;
    this.radios[kind].firstChild.checked = true;
    this.factor = Number(this.slider.value);
    this.shown.textContent = number(this.factor, 1).replace(".0", "");
  }
}

function radio(name, words, checked, onchange) {
  const input = h("input", { type: "radio", name, onchange });
  input.checked = checked;
  return h("label", {}, input, words);
}
