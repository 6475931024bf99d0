// Ten bars, one for each digit. With a heatmap to ask about its class, each is a button.

import { h } from "./dom.js";
import { rove } from "./roving.js";

export class Bars {
  /** onPoint(digit, chosen): pointed at (null: no longer), and whether by a click; or none. */
  constructor(title, onPoint) {
    this.heading = h("h3", {}, title);
    this.rows = Array.from({ length: 10 }, (_, digit) => {
      const value = h("span", {}, "");
      const pointing = onPoint && {
        type: "button",
        "aria-pressed": "false",
        onpointerenter: () => onPoint(digit, false),
        onpointerleave: () => onPoint(null, false),
        onfocus: () => onPoint(digit, false),
        onblur: () => onPoint(null, false),
        onclick: () => onPoint(digit, true),
      };
      const parts = [h("b", {}, String(digit)), h("i"), value];
      const row = pointing ? h("button", pointing, ...parts) : h("div", {}, ...parts);
      return { row, value };
    });
    this.element = h(
      "div",
      { class: "bars", role: "group", "aria-label": title },
      this.heading,
      ...this.rows.map(({ row }) => row),
    );
    if (onPoint) rove(this.element);
  }

  title(text) {
    this.heading.textContent = text;
    this.element.setAttribute("aria-label", text);
  }

  /** Ten probabilities, or null while there is no answer; the chosen class if any. */
  show(probabilities, chosen = null) {
    const best = probabilities && probabilities.indexOf(Math.max(...probabilities));
    this.rows.forEach(({ row, value }, digit) => {
      const share = probabilities ? probabilities[digit] : 0;
      row.style.setProperty("--share", share);
      row.classList.toggle("best", probabilities !== null && digit === best);
      if (row.type) row.setAttribute("aria-pressed", String(digit === chosen));
      value.textContent = probabilities ? percent(share) : "";
    });
  }
}

/** Nothing below 99.995 % is 100%. */
export function percent(share) {
  if (share > 0.995 && share < 0.99995) return `${(Math.floor(share * 1000) / 10).toFixed(1)}%`;
  return `${Math.round(share * 100)}%`;
}
