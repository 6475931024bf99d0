// Ten buttons, each of which has a digit drawn.

import { a, h } from "./dom.js";
import { rove } from "./roving.js";

/** The row of buttons; onDigit(digit) is told of the chosen one. */
export function row(onDigit) {
  const button = (digit) => {
    const named = { type: "button", "aria-label": `Draw ${a(digit)} for me` };
    return h("button", { ...named, onclick: () => onDigit(digit) }, String(digit));
  };
  const digits = Array.from({ length: 10 }, (_, digit) => button(digit));
  const toolbar = h("div", { class: "samples", "aria-label": "Draw a digit for me" }, ...digits);
  rove(toolbar);
  return toolbar;
}

/** The row, and words before it. */
export function samples(onDigit) {
  const words = h("span", { class: "hint", "aria-hidden": "true" }, "or let me draw a");
  return h("div", { class: "offers" }, words, row(onDigit));
}
