// Which block lies on the table, and what stands in for its maps that are changed.

import { h, number } from "../dom.js";

const KINDS = { mean: "its mean", zero: "zero", times: "itself times", donor: "what it says for a" };
const BLOCKS = 4;
const FIRST = 1; // the block that the chapter operates on, counted from 0

export class Tools {
  kind = "mean";

  /** onBlock(block), onReset() and onKind() are told of the reader's choice. */
  constructor(onBlock, onReset, onKind) {
    this.onKind = onKind;
    const blocks = Array.from({ length: BLOCKS }, (_, block) =>
      radio("block", `Block ${block + 1}`, block === FIRST, () => onBlock(block)),
    );
    this.radios = Object.fromEntries(
      Object.entries(KINDS).map(([kind, words]) => [kind, radio("kind", words, kind === this.kind, () => this.#set(kind))]),
    );
    this.slider = h("input", {
      type: "range", min: -1, max: 3, step: 0.5, value: 2, "aria-label": "times",
      oninput: () => this.#set("times"),
    });
    this.shown = h("span", { class: "factor", "aria-hidden": "true" }, "2");
    this.donor = h("select", { "aria-label": "digit", onchange: () => this.#set("donor") });
    for (let digit = 0; digit < 10; digit++) this.donor.append(new Option(digit));
    this.donor.value = 9;
    this.element = h(
      "div",
      { class: "tools" },
      h("div", { class: "choice", role: "radiogroup", "aria-label": "Block on the table" }, ...blocks),
      h("button", { type: "button", onclick: onReset }, "Reset"),
      h(
        "div",
        { class: "choice", role: "radiogroup", "aria-label": "In the place of a changed map" },
        h("span", { "aria-hidden": "true" }, "In the place of a changed map"),
        this.radios.mean,
        this.radios.zero,
        h("span", {}, this.radios.times, this.slider, this.shown),
        h("span", {}, this.radios.donor, this.donor),
      ),
    );
  }

  /** What the kind of change needs to know. */
  get factor() {
    return { times: Number(this.slider.value), donor: Number(this.donor.value) }[this.kind];
  }

  #set(kind) {
    this.kind = kind;
    this.radios[kind].firstChild.checked = true;
    this.shown.textContent = number(Number(this.slider.value), 1).replace(".0", "");
    this.onKind();
  }
}

function radio(name, words, checked, onchange) {
  const input = h("input", { type: "radio", name, onchange });
  input.checked = checked;
  return h("label", {}, input, words);
}
