// Ten buttons, each of which has a digit drawn.

import { a, h } from "./dom.js";
import { rove } from "./roving.js";

/** The row of buttons, and words before it; onDigit(digit) is told of the chosen one. */
export function samples(onDigit) {
  const button = (digit) => {
    const named = { type: "button", "aria-label": `Draw ${a(digit)} for me` };
    return h("button", { ...named, onclick: () => onDigit(digit) }, String(digit));
  };
  const row = h(
    "div",
    { class: "samples", "aria-label": "Draw a digit for me" },
    ...Array.from({ length: 10 }, (_, digit) => button(digit)),
  );
  rove(row);
  const words = h("span", { class: "hint", "aria-hidden": "true" }, "or let me draw a");
  return h("div", { class: "offers" }, words, row);
}
